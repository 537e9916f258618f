import { again, make, type WithState } from './ops-error.ts';

/** Measuring: what cannot be measured, tools that fail, and what they leave behind. */
export const measuringErrors = {
  benchImpossible: (a: { pair: string; what: string; why: string; next: string }) =>
    make('bench-impossible', 'permanent', {
      what: `${a.pair} cannot be measured like that: ${a.what}.`,
      why: a.why,
      next: `${a.next} Nothing was changed.`,
    }),
  benchAddressTaken: (a: { host: string; address: string; link: string; wanted: string }) =>
    make('bench-address-taken', 'permanent', {
      what: `${a.host} has the address ${a.address} on ${a.link}, and the bench needs it on ${a.wanted}.`,
      why: 'One address on two links sends packets the wrong way, and dpubot takes no address away that it did not give.',
      next: 'Give the pair another address in the inventory, or remove that one from the host. Nothing was changed.',
    }),
  benchToolFailed: (
    a: { pair: string; tool: string; point: string; problem: string; run: number; evidence?: string } & WithState,
  ) =>
    make('bench-tool-failed', 'permanent', {
      what: `${a.tool} could not measure ${a.point} on ${a.pair}, twice.`,
      why: `${a.problem}.`,
      next: `Remove the cause; the logs are in the thread. ${again(a.run)} A figure of a part is not told for the whole.`,
      state: a.state ?? 'changed',
      evidence: a.evidence,
    }),
  benchLogTooLong: (a: { host: string; folder: string; limit: string }) =>
    make('bench-log-too-long', 'permanent', {
      what: `The log of a measuring tool on ${a.host} is longer than ${a.limit}.`,
      why: `It is in ${a.folder}; a part of it would give a wrong figure.`,
      next: 'Measure a shorter time or with fewer streams.',
      state: 'changed',
    }),
  benchLeftBehind: (a: { host: string; what: string }) =>
    make('bench-left-behind', 'permanent', {
      what: `A measurement could not be cleared away on ${a.host}.`,
      why: `${a.what} is still there after it was stopped and removed.`,
      next: `Look at it on ${a.host}: what runs there disturbs other measurements, and every tool of dpubot ends by itself after its time. Then give the command again.`,
      state: 'changed',
    }),
  ipsecOthersLoaded: (a: { card: string; connections: readonly string[] } & WithState) =>
    make('ipsec-others-loaded', 'permanent', {
      what: `strongSwan on ${a.card} has connections that are in none of its files: ${a.connections.join(', ')}.`,
      why: 'Loading or unloading one connection with swanctl unloads all that are in no file below /etc/swanctl.',
      next: `Put them into a file of /etc/swanctl/conf.d, or unload them; then give the command again. They were not touched.`,
      state: a.state ?? 'unchanged',
    }),
  ipsecFilesBroken: (a: { card: string; files: readonly string[] }) =>
    make('ipsec-files-broken', 'permanent', {
      what: `The configuration of strongSwan on ${a.card} cannot be read to its end: ${a.files.join(', ')}.`,
      why: 'A brace or a quote does not close. swanctl would take all its files for empty, unload every connection, and call that a success.',
      next: `Mend the file on ${a.card}, then give the command again. The connections were not touched.`,
      state: 'unchanged',
    }),
  ipsecOffloadUnknown: (a: { card: string; value: string; said: string }) =>
    make('ipsec-offload-unknown', 'permanent', {
      what: `strongSwan on ${a.card} does not know \`hw_offload = ${a.value}\`.`,
      why: `It says: ${a.said}. Packet offload came with strongSwan 5.9.11 and with the one of NVIDIA's images.`,
      next: `Install an image whose strongSwan knows it (\`/dpu provision\`), or let the profile say \`offload: no\` and measure the software path as such.`,
      state: 'changed',
      evidence: a.said,
    }),
  ipsecOffloadRefused: (a: { card: string; said: string; cause: string }) =>
    make('ipsec-offload-refused', 'permanent', {
      what: `The hardware of ${a.card} takes no IPsec association.`,
      why: `${a.cause} It was told: ${a.said}.`,
      next: `Look at its part number and driver (\`/dpu inspect ${a.card}\`), let the profile set \`steering: dmfs\` or \`fullOffload\`, or let it say \`offload: no\` and measure the software path as such. There was no silent fall-back to the Arm.`,
      state: 'changed',
      evidence: a.said,
    }),
  ipsecAuthFailed: (a: { card: string; other: string; said: string }) =>
    make('ipsec-auth-failed', 'permanent', {
      what: `${a.card} and ${a.other} do not accept each other.`,
      why: `strongSwan says: ${a.said}.`,
      next: 'Look at the credential that `ipsec.auth` of the profile names: both cards take the same secret, or certificates of the same authority that are valid now.',
      state: 'changed',
      evidence: a.said,
    }),
  ipsecPeerSilent: (a: { card: string; other: string; address: string; said: string }) =>
    make('ipsec-peer-silent', 'permanent', {
      what: `${a.other} does not answer ${a.card} on ${a.address}.`,
      why: `No answer to IKE has come: ${a.said}.`,
      next: `Look at the cable and at \`wireAddress\` of the pair (\`/dpu diag ${a.card} links\`), and that nothing filters UDP 500 and 4500 between the cards.`,
      state: 'changed',
      evidence: a.said,
    }),
  ipsecNotUp: (a: { card: string; other: string; what: string; said: string }) =>
    make('ipsec-not-up', 'permanent', {
      what: `IPsec between ${a.card} and ${a.other} does not come up: ${a.what}.`,
      why: `strongSwan says: ${a.said}.`,
      next: `Look at its log on both cards (\`journalctl --unit strongswan\`) and at the proposals of the profile; then give the command again.`,
      state: 'changed',
      evidence: a.said,
    }),
  ipsecPathDead: (a: { target: string; from: string; to: string; seen: string; cards: string }) =>
    make('ipsec-path-dead', 'permanent', {
      what: `Nothing gets from ${a.from} to ${a.to} through the IPsec of ${a.target}, and pings are lost without a word.`,
      why: `${a.cards}. ${a.seen}. INSTALLED is what one side believes: it is no sign that the other side is alive.`,
      next: `Look at strongSwan on both cards (\`systemctl status strongswan\`, \`swanctl --list-sas\`), then give the command again. Nothing was measured.`,
    }),
  ipsecCredentialUnusable: (a: { ref: string; lacks: string }) =>
    make('ipsec-credential-unusable', 'permanent', {
      what: `The credential ${a.ref} has no ${a.lacks} in it.`,
      why: '`ipsec.auth` with certificates takes PEM: one credential with the certificate of the authority, one with certificate and private key of the cards.',
      next: `File it again (\`dpubot credentials import ${a.ref} FILE\`), then give the command again. Nothing was sent to a card.`,
    }),
  cardFileMissing: (a: { target: string; path: string }) =>
    make('card-file-missing', 'permanent', {
      what: `The Arm of ${a.target} has no ${a.path}.`,
      why: 'It comes with the images of NVIDIA, and holds what their boot service sets up.',
      next: 'Take `fullOffload` out of the profile, or install such an image (`/dpu provision`). Nothing was changed.',
    }),
  ipsecModeRefused: (a: { card: string; said: string }) =>
    make('ipsec-mode-refused', 'permanent', {
      what: `${a.card} was not switched to full IPsec offload.`,
      why: `mlnx_bf_configure says: ${a.said}.`,
      next: 'Look at the part number: a crypto-disabled card and a storage controller cannot do it. Else take `fullOffload` out of the profile. The key stands in /etc/mellanox/mlnx-bf.conf and does nothing there.',
      state: 'changed',
      evidence: a.said,
    }),
} as const;
