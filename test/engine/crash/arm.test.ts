import { describeDeaths } from '../../support/crash/describe-deaths.ts';
import { segments } from '../../support/crash/segments.ts';

describeDeaths('after the flash', [segments.arm]);
