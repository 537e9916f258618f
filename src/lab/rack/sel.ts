/**
 * The system event log of a BMC: sensors that crossed a threshold.
 *
 * Source: OpenBMC phosphor-sel-logger (threshold events), its Redfish shape from the design of NVIDIA's SEL service in
 * OpenBMC (LogEntry 1.13.0, `System Event Log Entry`); sensor 12V_ATX and its limit from the captured B3220; doca-platform
 * (OpenBMC.0.1.SensorThresholdWarningLowGoingLow when the cable is missing).
 */
import { cardFault } from './state.ts';
import type { CardState, Rack } from './state.ts';

const sensor = '12V_ATX';
const cautionVolts = 10.4;
/** What leaks back into the pin of a missing cable. */
const floatingVolts = 0.3;
const goodVolts = 12.16;

/** What the sensor of the 12 V cable reads. */
export function atxVolts(rack: Rack, card: CardState): number {
  return cardFault(rack, card, 'atx-power-missing') ? floatingVolts : goodVolts;
}

/** The voltage of the 12 V cable fell below its limit, or rose above it. */
export function noteSensor(rack: Rack, card: CardState, direction: 'low' | 'high'): void {
  card.bmc.sel.push({
    id: card.bmc.nextSelId,
    createdAtMs: rack.nowMs(),
    sensor,
    direction,
    reading: direction === 'low' ? floatingVolts : goodVolts,
    threshold: cautionVolts,
  });
  card.bmc.nextSelId += 1;
}
