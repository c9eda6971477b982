import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { casesMax } from '../core/link-case.ts'
import {
  type CaseCount,
  type CaseFilter,
  caseCountsOf,
  casesOfLinkage,
  type ListedCase,
} from '../store/case-list.ts'
import { countCases } from '../store/ticket-cases.ts'
import type { Deps } from './deps.ts'
import { requireLinkage } from './show-linkage.ts'

/** Which cases: those that pass the filter, after one of them. */
export type CasesWanted = CaseFilter & { linkage: string; after: string | null; limit: number }

/**
 * The worklist of a linkage: what its rules left open, without an identifier, and what was said of it.
 *
 * @returns a page of cases, and how many there are of each kind and state whatever the filter.
 * @throws {Refusal} `grant-missing`, `not-found` also for a page after a case that the linkage does not list.
 */
export async function showCases(
  deps: Deps,
  caller: Caller,
  wanted: CasesWanted,
): Promise<{ cases: ListedCase[]; counts: CaseCount[] }> {
  authorize(caller, 'show-cases')
  const linkageId = (await requireLinkage(deps.pool, wanted.linkage)).id
  const { after } = wanted
  if (after && (await countCases(deps.pool, { linkageId, caseIds: [after] })) === 0) {
    throw new Refusal('not-found', 'There is no such case in this linkage.')
  }
  const cases = await casesOfLinkage(deps.pool, linkageId, wanted)
  return { cases, counts: await caseCountsOf(deps.pool, linkageId) }
}

/**
 * The whole worklist, as far as it passes the filter: at most what a linkage lists.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function exportCases(
  deps: Deps,
  caller: Caller,
  wanted: CaseFilter & { linkage: string },
): Promise<ListedCase[]> {
  authorize(caller, 'show-cases')
  const { id } = await requireLinkage(deps.pool, wanted.linkage)
  return await casesOfLinkage(deps.pool, id, { ...wanted, after: null, limit: casesMax })
}
