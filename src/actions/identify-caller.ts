import type { Caller } from '../core/grants.ts'
import { accountOfSession } from '../store/accounts.ts'
import { findAgencyByKey } from '../store/agencies.ts'
import type { Deps } from './deps.ts'
import { tokenMacOf } from './open-session.ts'

/** The person behind a bearer token, or undefined if the session is unknown or over. */
export async function identifyAccount(
  deps: Deps,
  token: string,
  from: string,
): Promise<Caller | undefined> {
  const account = await accountOfSession(deps.pool, tokenMacOf(deps, token))
  return account && { kind: 'account', ...account, from }
}

/** The agency behind a client certificate's public key, or undefined if none is registered with it. */
export async function identifyAgency(
  deps: Deps,
  spkiSha256: Uint8Array,
  from: string,
): Promise<Caller | undefined> {
  const agency = await findAgencyByKey(deps.pool, spkiSha256)
  return agency && { kind: 'agency', id: agency.id, name: agency.name, from }
}
