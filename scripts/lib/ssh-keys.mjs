/** SSH key pairs for demo, benchmarks and tests. */
import ssh2 from 'ssh2';

const tries = 5;

/**
 * An ed25519 key pair in OpenSSH form. ssh2 1.17 writes about 3 of 1000 such keys in a form that it cannot read itself
 * (measured: 8 of 3000); those are made anew.
 *
 * @param {string} [comment]
 * @returns {{ private: string, public: string }}
 */
export function sshKeyPair(comment = 'dpubot') {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
  throw new Error('ssh2 makes no key that it can read');
}
