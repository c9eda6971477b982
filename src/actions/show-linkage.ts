import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { findLinkage, type Linkage, type LinkMap, linkMapsOf } from '../store/linkages.ts'
import type { Queryable } from '../store/pool.ts'
import type { Deps } from './deps.ts'

/** The linkage of this id. @throws {Refusal} `not-found`. */
export async function requireLinkage(db: Queryable, id: string): Promise<Linkage> {
  const linkage = await findLinkage(db, id)
  if (!linkage) throw new Refusal('not-found', 'There is no such linkage.')
  return linkage
}

/** A linkage with its report and, a delivery each, how many serials were linked. */
export async function showLinkage(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<{ linkage: Linkage; maps: LinkMap[] }> {
  authorize(caller, 'show-linkage')
  const linkage = await requireLinkage(deps.pool, id)
  return { linkage, maps: await linkMapsOf(deps.pool, id) }
}
