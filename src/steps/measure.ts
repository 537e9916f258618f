import { createMeasure } from './measure-step.ts';
import { measureParts } from './measure-parts.ts';

/** The step with the tools, the arithmetic and the proof of dpubot. */
export const measure = createMeasure(measureParts);
