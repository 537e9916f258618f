import { request } from 'node:https';

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
