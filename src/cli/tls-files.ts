/** The API's key and certificate, and the authority of the agencies' certificates. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { TlsFiles } from '../http/app.ts'

/**
 * Reads `server.key`, `server.pem` and `ca.pem` of a directory.
 *
 * @throws {Refusal} `certificate-missing` for a file that is not there, or a key that others may
 *   read.
 */
export function readTlsFiles(directory: string): TlsFiles {
  const mode = statSync(join(directory, 'server.key'), { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & 0o007) !== 0) {
    throw new Refusal(
      'certificate-missing',
      'Anyone may read the key of the server. Set its mode to 0600 and take a new one.',
    )
  }
  return {
    key: read(directory, 'server.key'),
    cert: read(directory, 'server.pem'),
    ca: read(directory, 'ca.pem'),
  }
}

function read(directory: string, name: string): Buffer {
  try {
    return readFileSync(join(directory, name))
  } catch {
    throw new Refusal(
      'certificate-missing',
      'A file for TLS cannot be read. Make it with `gyeol ca server`, or set GYEOL_TLS.',
      { file: name },
    )
  }
}
