import { parse } from 'yaml';

/** A small fleet: rack1 with a one-card and a two-card host, rack2 with a card whose BMC address is not known. */
export const sampleText = `
version: 1
sites:
  lab: { recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p }
hosts:
  host-a:
    site: lab
    rack: rack1
    ssh: { address: 10.0.0.1, user: ops, key: ssh-ops, hostKeys: ['SHA256:${'A'.repeat(43)}'] }
    dpus:
      - { name: dpu-a, bmc: { address: 10.0.1.1 } }
  host-b:
    site: lab
    rack: rack1
    ssh: { address: 10.0.0.2, user: ops, key: ssh-ops, hostKeys: ['SHA256:${'B'.repeat(43)}'], jump: host-a }
    dpus:
      - { name: dpu-b0, serial: MT0001, bmc: { address: 10.0.1.2 } }
      - { name: dpu-b1, serial: MT0002, bmc: { address: 10.0.1.3 } }
  host-c:
    site: lab
    rack: rack2
    ssh: { address: 10.0.0.3, user: ops, key: ssh-ops, hostKeys: ['SHA256:${'C'.repeat(43)}'] }
    profile: quick
    dpus:
      - { name: dpu-c, bmc: { address: auto } }
links:
  - [dpu-a/p0, dpu-b0/p0]
images:
  bf-2.9.2:
    url: http://images.test/bf.bfb
    sha256: ${'a'.repeat(64)}
    bytes: 1409286144
    version: bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod
    docaVersion: 2.9.2
    signed: true
profiles:
  quick: { bmcPassword: leave, arm: { key: arm-key } }
roles:
  operators: { users: [UANA, UBEN], userGroups: [SOPS] }
  approvers: { users: [UBEN, UCLEO, UDAN] }
  admins: { users: [UCLEO] }
policy:
  operate: [operators]
  administer: [admins]
  approvals:
    disruptive: { role: approvers }
    destructive: { role: approvers, votes: 2 }
channels: ['C0FLEET1', '#fleet']
`;

/** The same as plain data, fresh on each call. */
export function sampleInventory(): unknown {
  return parse(sampleText);
}
