import { describeDeaths } from '../../support/crash/describe-deaths.ts';
import { segments } from '../../support/crash/segments.ts';

describeDeaths('with a card whose BMC has to be found', [segments.foundBmc]);
