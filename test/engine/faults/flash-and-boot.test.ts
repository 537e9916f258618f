import { describeFaults } from '../../support/faults/describe-faults.ts';

describeFaults(['rshim and flashing', 'boot and Secure Boot']);
