/** Preamble with start delimiter, FCS, and the gap between two frames: what a wire carries beside each frame. */
const framingBytes = 8 + 4 + 12;

/** Gb/s on the wire. `frameBytes`: the Ethernet frame without FCS, as testpmd counts it. Source: IEEE 802.3, 3.1.1 and 4.4.2. */
export function layer1Gbps(packetsPerSecond: number, frameBytes: number): number {
  return (packetsPerSecond * (frameBytes + framingBytes) * 8) / 1e9;
}

/** Gb/s of the frames alone, without FCS. */
export function layer2Gbps(packetsPerSecond: number, frameBytes: number): number {
  return (packetsPerSecond * frameBytes * 8) / 1e9;
}
