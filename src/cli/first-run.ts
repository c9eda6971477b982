/**
 * What a machine gets that starts the service alone for the first time: keyrings, an authority and
 * a certificate.
 *
 * The rule: nothing that exists is touched, and what is made here is good for one machine in one
 * pair of hands. In production two custodians make the keyrings (`gyeol keys init`), and
 * passphrases do not lie beside them.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  makeAuthority,
  makeReleaseCertificate,
  makeServerCertificate,
} from '../keys/certificate-authority.ts'
import { keyringSides } from '../keys/key-purposes.ts'
import { createKeyring } from '../keys/open-keyring.ts'
import { argon2Least } from '../keys/passphrase.ts'
import type { Config } from './config.ts'

const ownHosts = ['localhost', '127.0.0.1', '::1']
const everyHost = ['0.0.0.0', '::']

/**
 * Makes the keyrings that are missing. Their passphrases are 256 random bits, so a slow argon2id
 * would protect nothing more.
 */
export async function makeMissingKeyrings(config: Config, now: Date): Promise<number> {
  mkdirSync(config.keys, { recursive: true, mode: 0o700 })
  const missing = keyringSides.filter((side) => !existsSync(join(config.keys, `${side}.keyring`)))
  for (const side of missing) {
    const passphrase = randomBytes(32).toString('base64url')
    writeSecret(join(config.keys, `${side}.passphrase`), `${passphrase}\n`)
    await createKeyring({
      path: join(config.keys, `${side}.keyring`),
      side,
      passphrase: Buffer.from(passphrase),
      createdBy: 'first-start',
      approvedBy: 'owner-of-this-machine',
      now,
      argon2: argon2Least,
    })
  }
  return missing.length
}

/**
 * Makes an authority and the server's certificate for this machine's own names, unless there are
 * some.
 */
export async function makeMissingCertificates(config: Config, now: Date): Promise<boolean> {
  if (existsSync(join(config.tls, 'server.pem'))) return false
  mkdirSync(config.tls, { recursive: true, mode: 0o700 })
  const authority = await makeAuthority('Gyeol on this machine', { now })
  const others = [...ownHosts, ...everyHost].includes(config.host) ? [] : [config.host]
  const server = await makeServerCertificate(authority, [...ownHosts, ...others], { now })
  const release = await makeReleaseCertificate(authority, 'Releases of this machine', { now })
  writeSecret(join(config.tls, 'release.key'), release.privateKeyPem)
  writeFileSync(join(config.tls, 'release.pem'), release.certificatePem)
  writeSecret(join(config.tls, 'ca.key'), authority.privateKeyPem)
  writeFileSync(join(config.tls, 'ca.pem'), authority.certificatePem)
  writeSecret(join(config.tls, 'server.key'), server.privateKeyPem)
  // Last: it says that all is there.
  writeFileSync(join(config.tls, 'server.pem'), server.certificatePem)
  return true
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flush: true })
}
