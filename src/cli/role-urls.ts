/** Under which URL a process reaches the database. */
import { join } from 'node:path'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import type { KeyringSide } from '../keys/key-purposes.ts'
import { urlsOfHome } from '../store/embedded-home.ts'
import { readPrivateFile } from '../store/private-file.ts'
import { type LoginRole, loginRoles } from '../store/roles.ts'
import type { Config } from './config.ts'

/** The superuser's URL and one for each role. They hold passwords: never print them. */
export type RoleUrls = Readonly<Record<'admin' | LoginRole, string>>

const passwordsSchema = z.strictObject({
  passwords: z.record(z.enum(loginRoles), z.string().min(16).max(128)),
})

/** The file in the home that keeps the passwords of the roles on an external server. */
export const rolePasswordsFile = (home: string): string => join(home, 'roles.json')

/**
 * The URL of a side's role, or of the migrating one: DATABASE_URL; without it, the embedded server
 * that `start` runs in this home.
 *
 * @throws {Refusal} `option-unknown` when there is neither.
 */
export function databaseUrlOf(config: Config, side: KeyringSide | 'migrate'): string {
  const url = config.databaseUrl ?? urlsOfHome(config.home)?.[`gyeol_${side}`]
  if (url !== undefined) return url
  throw new Refusal(
    'option-unknown',
    'There is no database. Set DATABASE_URL, or run `gyeol start` on this home first.',
  )
}

/**
 * The passwords that a home keeps for the roles of an external server; undefined when it keeps
 * none.
 */
export function keptRolePasswords(home: string): Record<LoginRole, string> | undefined {
  let text: string
  try {
    text = readPrivateFile(rolePasswordsFile(home))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  return passwordsSchema.parse(JSON.parse(text)).passwords
}
