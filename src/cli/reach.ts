/** How a command reaches the API: where it is, whom to trust, and as whom to ask. */
import { join } from 'node:path'
import { z } from 'zod'
import { serviceUrlOf } from '../agency/client.ts'
import { urlAt } from './address.ts'
import type { CommandContext, Option } from './command.ts'
import { readNamedFile } from './files.ts'
import { askJson, type Reach } from './https-json.ts'
import { readSecretFile } from './passphrase.ts'

/** The options of every command that asks the API as a person. */
export const reachOptions = {
  name: { value: 'name', meaning: 'the account to sign in with' },
  'password-file': { value: 'file', meaning: 'file with its password, mode 0600' },
  'token-file': {
    value: 'file',
    meaning: 'file with a session token, instead of name and password',
  },
  url: { value: 'url', meaning: 'the API; https://<GYEOL_HOST>:<GYEOL_PORT> unless said' },
  ca: { value: 'file', meaning: 'the authority to trust, PEM; <tls>/ca.pem unless said' },
} as const satisfies Record<string, Option>

/** Beside `reachOptions`: to ask as an agency instead. */
export const certificateOptions = {
  certificate: { value: 'file', meaning: 'certificate of an agency, PEM, instead of an account' },
  'private-key': { value: 'file', meaning: 'its key, PEM' },
} as const satisfies Record<string, Option>

/**
 * The API, reached as the options say; a person is signed in.
 *
 * @throws {Refusal} `option-unknown`, `not-found`, and what the API refuses a sign-in with.
 */
export async function openReach({ config, given }: CommandContext): Promise<Reach> {
  const url = serviceUrlOf(given.text('url') ?? urlAt(config)).href
  const reach = { url, ca: readNamedFile(given.text('ca') ?? join(config.tls, 'ca.pem')) }
  const certificate = given.text('certificate')
  if (certificate !== undefined) {
    const key = readNamedFile(given.need('private-key'))
    return { ...reach, cert: readNamedFile(certificate), key }
  }
  const textIn = (path: string): string => Buffer.from(readSecretFile(path)).toString('utf8')
  const tokenFile = given.text('token-file')
  if (tokenFile !== undefined) return { ...reach, token: textIn(tokenFile) }
  const body = { name: given.need('name'), password: textIn(given.need('password-file')) }
  const { token } = await askJson(
    reach,
    { method: 'POST', path: '/v1/sessions', body },
    z.object({ token: z.string() }),
  )
  return { ...reach, token }
}
