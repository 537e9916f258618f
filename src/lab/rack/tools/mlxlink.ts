/**
 * `mlxlink -d DEV [-p 1] [-m] [-c]`: a port and the cable in it.
 *
 * Source: published runs on ConnectX-7 and BlueField (sections, labels padded to 35); MFT manual (opcode 1024: cable is
 * unplugged).
 */
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { hasCable } from '../state.ts';
import { findDevice } from './mft.ts';

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `\n${title}\n${'-'.repeat(title.length)}\n${rows.map(([label, value]) => `${label.padEnd(35)}: ${value}\n`).join('')}`;
}

function moduleInfo(up: boolean, speedGbps: number): string {
  return section('Module Info', [
    ['Identifier', up ? 'QSFP112' : 'N/A'],
    ['Compliance', up ? `${speedGbps}GBASE-CR4` : 'N/A'],
    ['Cable Technology', up ? 'Copper cable unequalized' : 'N/A'],
    ['Cable Type', up ? 'Passive copper cable' : 'Unidentified'],
    ['Vendor Name', up ? 'NVIDIA' : 'N/A'],
    ['Transfer Distance [m]', up ? '1' : 'N/A'],
    ['Temperature [C]', 'N/A'],
  ]);
}

function counters(up: boolean): string {
  return section('Physical Counters and BER Info', [
    ['Time Since Last Clear [Min]', up ? '87.3' : '0.0'],
    ['Symbol Errors', '0'],
    ['Symbol BER', up ? '15E-255' : 'N/A'],
    ['Effective Physical Errors', '0'],
    ['Effective Physical BER', up ? '15E-255' : 'N/A'],
    ['Raw Physical BER', up ? '2E-9' : 'N/A'],
    ['Link Down Counter', '0'],
    ['Link Error Recovery Counter', '0'],
  ]);
}

/** The command. */
export const mlxlink: Command = (context, args) => {
  if (!context.root) return failed(1, '-E- Permission denied: you need root to use mlxlink\n');
  const after = (...names: string[]): string | undefined => {
    const at = args.findIndex((arg) => names.includes(arg));
    return at === -1 ? undefined : args[at + 1];
  };
  const found = findDevice(context, after('-d', '--device'));
  if ('exitCode' in found) return found;
  const { card, device } = found;
  const port = device.endsWith('.1') ? 1 : Number(after('-p', '--port') ?? '1') - 1;
  const speedGbps = card.hardware.ports[port]?.speedGbps;
  if (speedGbps === undefined) return failed(1, `-E- Invalid port number: ${port + 1}\n`);
  const up = hasCable(context.rack, card, port);
  const text =
    section('Operational Info', [
      ['State', up ? 'Active' : 'Polling'],
      ['Physical state', up ? 'LinkUp' : 'ETH_AN_FSM_ENABLE'],
      ['Speed', up ? `${speedGbps}G` : 'N/A'],
      ['Width', up ? '4x' : 'N/A'],
      ['FEC', up ? 'Standard_RS-FEC - (544,514)' : 'N/A'],
      ['Loopback Mode', 'No Loopback'],
      ['Auto Negotiation', 'ON'],
    ]) +
    section('Supported Info', [
      ['Enabled Link Speed (Ext.)', '0x00013ff2 (400G_4X,200G_4X,200G_2X,100G_4X,100G_2X,100G_1X)'],
      ['Supported Cable Speed (Ext.)', up ? '0x00013ff2 (400G_4X,200G_4X,200G_2X,100G_4X)' : 'N/A'],
    ]) +
    section('Troubleshooting Info', [
      ['Status Opcode', up ? '0' : '1024'],
      ['Group Opcode', up ? 'N/A' : 'MNG FW'],
      ['Recommendation', up ? 'No issue was observed' : 'Cable is unplugged'],
    ]) +
    section('Tool Information', [
      ['Firmware Version', card.nicFirmware.running],
      ['amBER Version', '4.3'],
      ['MFT Version', 'mft 4.30.1-8'],
    ]) +
    (args.includes('-m') || args.includes('--show_module') ? moduleInfo(up, speedGbps) : '') +
    (args.includes('-c') || args.includes('--show_counters') ? counters(up) : '');
  return ok(`${text}\n`);
};
