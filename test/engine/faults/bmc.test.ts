import { describeFaults } from '../../support/faults/describe-faults.ts';

describeFaults(['BMC and Redfish', 'updates through the BMC']);
