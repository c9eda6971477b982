import { randomUUID } from 'node:crypto'
import argon2 from 'argon2'
import { Refusal } from '../core/errors.ts'
import type { Role } from '../core/grants.ts'
import { saveAccount } from '../store/accounts.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction, type Pool } from '../store/pool.ts'
import { passwordHashing } from './open-session.ts'

const passwordCharacters = { least: 12, most: 200 }

/** A person who may sign in. */
export type Person = { name: string; roles: Role[]; password: string }

/**
 * Registers a person, or gives the one of that name another password and roles and ends the sessions of that name.
 *
 * @param operator - who runs the command, as the machine knows them.
 * @returns whether the name was new.
 * @throws {Refusal} `option-unknown` for a password too short or long, or a name that is none.
 */
export async function registerAccount(
  pool: Pool,
  person: Person,
  operator: string,
): Promise<boolean> {
  const { name, roles, password } = person
  if (password.length < passwordCharacters.least || password.length > passwordCharacters.most) {
    throw new Refusal('option-unknown', 'A password has 12 to 200 characters; choose another.')
  }
  if (!/^[a-z][a-z0-9.-]{0,62}$/.test(name)) {
    throw new Refusal(
      'option-unknown',
      'A name is of lower-case letters, digits, dot, hyphen and underscore.',
    )
  }
  const passwordHash = await argon2.hash(password, passwordHashing)
  return await inTransaction(pool, 'register-account', async (tx) => {
    const isNew = await saveAccount(tx, { id: randomUUID(), name, passwordHash, roles })
    await appendLeaf(tx, {
      actor: { kind: 'command', name: operator },
      action: 'register-account',
      object: name,
      outcome: 'done',
      note: roles.join(' '),
    })
    return isNew
  })
}
