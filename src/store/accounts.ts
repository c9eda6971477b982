/** People and their sessions. A session is known by a keyed hash of its token; the token itself is not stored. */
import type { Role } from '../core/grants.ts'
import type { Queryable, Tx } from './pool.ts'

export type Account = { id: string; name: string; passwordHash: string; roles: Role[] }

/** The account of that name, or undefined; a disabled one is as if it were not there. */
export async function findAccount(db: Queryable, name: string): Promise<Account | undefined> {
  const { rows } = await db.query<Account>(
    `select account_id as id, name, password_hash as "passwordHash", roles
     from gyeol.account where name = $1::text and disabled_at is null`,
    [name],
  )
  return rows[0]
}

/**
 * Adds a person, or replaces password and roles of the one with that name, whose sessions end.
 *
 * @returns whether the name was new.
 */
export async function saveAccount(tx: Tx, account: Account): Promise<boolean> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into gyeol.account (account_id, name, password_hash, roles)
     values ($1::uuid, $2::text, $3::text, $4::text[])
     on conflict (name) do update
     set password_hash = excluded.password_hash, roles = excluded.roles, disabled_at = null
     returning account_id as id`,
    [account.id, account.name, account.passwordHash, account.roles],
  )
  const id = rows[0]?.id
  if (id === account.id) return true
  await tx.query('delete from gyeol.session where account_id = $1::uuid', [id])
  return false
}

/** Opens a session of `seconds` and forgets the account's expired ones. */
export async function insertSession(
  tx: Tx,
  session: { tokenMac: Uint8Array; accountId: string; seconds: number },
): Promise<Date> {
  await tx.query('delete from gyeol.session where account_id = $1::uuid and expires_at < now()', [
    session.accountId,
  ])
  const { rows } = await tx.query<{ expiresAt: Date }>(
    `insert into gyeol.session (token_mac, account_id, expires_at)
     values ($1::bytea, $2::uuid, now() + make_interval(secs => $3::double precision))
     returning expires_at as "expiresAt"`,
    [session.tokenMac, session.accountId, session.seconds],
  )
  const row = rows[0]
  if (!row) throw new Error('a session was not returned')
  return row.expiresAt
}

/** The account of a live session, or undefined. */
export async function accountOfSession(
  db: Queryable,
  tokenMac: Uint8Array,
): Promise<Omit<Account, 'passwordHash'> | undefined> {
  const { rows } = await db.query<Omit<Account, 'passwordHash'>>(
    `select a.account_id as id, a.name, a.roles
     from gyeol.session s join gyeol.account a using (account_id)
     where s.token_mac = $1::bytea and s.expires_at > now() and a.disabled_at is null`,
    [tokenMac],
  )
  return rows[0]
}

/** Ends a session. */
export async function deleteSession(tx: Tx, tokenMac: Uint8Array): Promise<void> {
  await tx.query('delete from gyeol.session where token_mac = $1::bytea', [tokenMac])
}
