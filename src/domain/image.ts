import { z } from 'zod';
import { WebAddress } from './profile.ts';

/** SHA-256 of a file, 64 lower-case hex digits. */
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 of the file, 64 lower-case hex digits');

/**
 * A BFB by name. `url`: the host fetches it; `file`: a path on the worker, which sends it by SFTP. Exactly one of the two.
 * `version` is what the installed card says in /etc/mlnx-release, `driver` the version of its loaded mlx5 modules,
 * `nicFirmware` what the image brings for the NIC.
 */
export const Image = z
  .strictObject({
    url: WebAddress.optional(),
    file: z.string().regex(/^\//, 'an absolute path on the worker').optional(),
    sha256: Sha256,
    /** Size of the file. */
    bytes: z.int().positive(),
    version: z.string().regex(/^[A-Za-z0-9._-]{1,120}$/, 'as in /etc/mlnx-release'),
    docaVersion: z.string().regex(/^\d+\.\d+\.\d+$/, 'as in 2.9.2'),
    driver: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,60}$/)
      .optional(),
    nicFirmware: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'as in 32.43.2566')
      .optional(),
    /** False: its kernel or modules do not load with Secure Boot on. */
    signed: z.boolean(),
  })
  .refine((image) => (image.url === undefined) !== (image.file === undefined), 'give either url or file');
export type Image = z.infer<typeof Image>;
