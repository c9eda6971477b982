/**
 * Sessions of people: a name and a password against argon2id, answered by a token of 256 random bits that is stored only
 * as a keyed hash.
 *
 * An unknown name costs the same argon2id as a known one and gets the same answer. Argon2 is bounded: more than
 * `hashingMax` at once are refused, and a name that failed `failuresMax` times waits.
 */
import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { Refusal } from '../core/errors.ts'
import type { Caller } from '../core/grants.ts'
import { deleteSession, findAccount, insertSession, saveAccount } from '../store/accounts.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import type { Deps } from './deps.ts'

const sessionSeconds = 8 * 3600
const hashingMax = 4
const failuresMax = 10
const failureWindowMs = 60_000
const failureNamesMax = 10_000

/** OWASP's argon2id setting: 46 MiB, one pass, one lane. */
export const passwordHashing = {
  type: argon2.argon2id,
  memoryCost: 47_104,
  timeCost: 1,
  parallelism: 1,
} as const

export type OpenSession = { token: string; expiresAt: Date; roles: string[] }

let hashing = 0
let dummyHash: Promise<string> | undefined
const failures = new Map<string, { count: number; since: number }>()

/**
 * Opens a session.
 *
 * @throws {Refusal} `credentials-wrong`, one sentence for every reason; `too-many-attempts`.
 */
export async function openSession(
  deps: Deps,
  credentials: { name: string; password: string; from: string },
): Promise<OpenSession> {
  refuseTooManyFailures(credentials.name)
  const account = await findAccount(deps.pool, credentials.name)
  const isRight = await isPassword(account?.passwordHash, credentials.password)
  if (!account || !isRight) {
    noteFailure(credentials.name)
    throw new Refusal('credentials-wrong', 'The name or the password is wrong.')
  }
  failures.delete(credentials.name)
  const token = randomBytes(32).toString('base64url')
  const rehashed = argon2.needsRehash(account.passwordHash, passwordHashing)
    ? await argon2.hash(credentials.password, passwordHashing)
    : undefined
  const expiresAt = await inTransaction(deps.pool, 'open-session', async (tx) => {
    if (rehashed) await saveAccount(tx, { ...account, passwordHash: rehashed })
    const expires = await insertSession(tx, {
      tokenMac: tokenMacOf(deps, token),
      accountId: account.id,
      seconds: sessionSeconds,
    })
    await appendLeaf(tx, {
      actor: { kind: 'account', name: account.name },
      from: credentials.from,
      action: 'open-session',
      object: account.id,
      outcome: 'done',
    })
    return expires
  })
  return { token, expiresAt, roles: account.roles }
}

/** The keyed hash under which a bearer token is stored. 32 bytes. */
export function tokenMacOf(deps: Pick<Deps, 'keyring'>, token: string): Uint8Array {
  return deps.keyring.mac({ purpose: 'session' }, Buffer.from(token))
}

async function isPassword(hash: string | undefined, password: string): Promise<boolean> {
  if (hashing >= hashingMax) {
    throw new Refusal('too-many-attempts', 'Too many people are signing in. Try again in a moment.')
  }
  hashing += 1
  try {
    dummyHash ??= argon2.hash(randomBytes(16), passwordHashing)
    const isRight = await argon2.verify(hash ?? (await dummyHash), password)
    return isRight && hash !== undefined
  } finally {
    hashing -= 1
  }
}

function refuseTooManyFailures(name: string): void {
  const failure = failures.get(name)
  if (!failure || Date.now() - failure.since > failureWindowMs) return
  if (failure.count >= failuresMax) {
    throw new Refusal('too-many-attempts', 'Too many failed attempts. Try again in a minute.')
  }
}

function noteFailure(name: string): void {
  const now = Date.now()
  const failure = failures.get(name)
  if (failure && now - failure.since <= failureWindowMs) {
    failure.count += 1
    return
  }
  if (failures.size >= failureNamesMax) failures.clear() // Bounded: names are the caller's choice.
  failures.set(name, { count: 1, since: now })
}

/** Ends the session of this token. */
export async function closeSession(deps: Deps, caller: Caller, token: string): Promise<void> {
  await inTransaction(deps.pool, 'close-session', async (tx) => {
    await deleteSession(tx, tokenMacOf(deps, token))
    await appendLeaf(tx, {
      actor: { kind: caller.kind, name: caller.name },
      from: caller.from,
      action: 'close-session',
      object: caller.id,
      outcome: 'done',
    })
  })
}
