import { authorize, type Caller } from '../core/grants.ts'
import { casesOfLinkage, type LinkCase, type ListedCase } from '../store/cases.ts'
import type { Deps } from './deps.ts'
import { requireLinkage } from './show-linkage.ts'

/** Which cases: of a kind, of an agency, those after one of them. */
export type CasesWanted = {
  linkage: string
  kind: LinkCase['kind'] | null
  agency: string | null
  after: string | null
  limit: number
}

/**
 * The worklist of a linkage: what its rules left open, without an identifier, and what was said of it.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showCases(
  deps: Deps,
  caller: Caller,
  wanted: CasesWanted,
): Promise<ListedCase[]> {
  authorize(caller, 'show-cases')
  const linkage = await requireLinkage(deps.pool, wanted.linkage)
  return await casesOfLinkage(deps.pool, linkage.id, wanted)
}
