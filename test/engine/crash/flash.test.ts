import { describeDeaths } from '../../support/crash/describe-deaths.ts';
import { segments } from '../../support/crash/segments.ts';

describeDeaths('in flash and power cycle', [segments.flash, segments.flashOfFound, segments.power]);
