/** The API's key and certificate, the authority of the agencies' certificates, and who signs releases. */
import { createPrivateKey } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import type { TlsFiles } from '../http/app.ts'
import type { ReleaseSigner } from '../keys/cms.ts'

/**
 * Reads `server.key`, `server.pem` and `ca.pem` of a directory.
 *
 * @throws {Refusal} `certificate-missing` for a file that is not there, or a key that others may
 *   read.
 */
export function readTlsFiles(directory: string): TlsFiles {
  requirePrivate(join(directory, 'server.key'))
  return {
    key: read(directory, 'server.key'),
    cert: read(directory, 'server.pem'),
    ca: read(directory, 'ca.pem'),
  }
}

/**
 * Reads `release.key` and `release.pem` of a directory; undefined if there are none.
 *
 * @throws {Refusal} `certificate-missing` as above.
 */
export function readReleaseSigner(directory: string): ReleaseSigner | undefined {
  if (!existsSync(join(directory, 'release.pem'))) return undefined
  requirePrivate(join(directory, 'release.key'))
  return {
    certificatePem: read(directory, 'release.pem').toString(),
    privateKey: createPrivateKey(read(directory, 'release.key')),
  }
}

function requirePrivate(path: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  if ((mode & 0o007) === 0) return
  throw new Refusal(
    'certificate-missing',
    'Anyone may read a key of the service. Set its mode to 0600 and take a new one.',
  )
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
