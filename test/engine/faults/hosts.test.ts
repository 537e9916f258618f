import { describeFaults } from '../../support/faults/describe-faults.ts';

describeFaults(['mode, firmware and slot', 'Arm and its console', 'hosts and networks']);
