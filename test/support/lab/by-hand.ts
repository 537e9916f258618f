import { request } from 'node:https';
import ssh2 from 'ssh2';

const limitMs = 5_000;

/** What a person does at a BMC, past dpubot: one POST with the root password. Resolves to the status. */
export async function postByHand(
  bmc: { readonly address: string; readonly port: number },
  password: string,
  path: string,
  body: object,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: bmc.address,
        port: bmc.port,
        path,
        method: 'POST',
        auth: `root:${password}`,
        headers: { 'content-type': 'application/json' },
        // The BMC's certificate is its own; a person at a bench clicks that away.
        rejectUnauthorized: false,
        timeout: limitMs,
      },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.once('error', reject);
    sent.end(JSON.stringify(body));
  });
}

/** What a person does on the Arm of a card, past dpubot: one command over SSH as `ubuntu`. Rejects when it fails. */
export async function runByHand(arm: { readonly port: number }, privateKey: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.once('error', reject);
    client.once('ready', () =>
      client.exec(command, (error, channel) => {
        if (error !== undefined) {
          client.end();
          reject(error);
          return;
        }
        channel.resume().once('close', (code: number | null) => {
          client.end();
          if (code === 0) resolve();
          else reject(new Error(`${command}: exit code ${code}`));
        });
      }),
    );
    client.connect({ host: '127.0.0.1', port: arm.port, username: 'ubuntu', privateKey, readyTimeout: limitMs });
  });
}
