import { describeFaults } from '../../support/faults/describe-faults.ts';

describeFaults(['locked out']);
