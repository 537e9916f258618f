import { describeDeaths } from '../../support/crash/describe-deaths.ts';
import { segments } from '../../support/crash/segments.ts';

describeDeaths('before the flash', [segments.bmc, segments.doca, segments.sentImage, segments.fetchedImage]);
