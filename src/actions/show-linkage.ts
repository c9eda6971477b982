import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type LinkageCounts, type LinkageReport, toldReport } from '../core/linkage-report.ts'
import { linkRulesSchema, rulesVersion } from '../core/passes.ts'
import { findLinkage, type Linkage, type LinkMap, linkMapsOf } from '../store/linkages.ts'
import type { Queryable } from '../store/pool.ts'
import type { Deps } from './deps.ts'
import { requireProject } from './show-project.ts'

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
): Promise<{ linkage: Linkage; report: LinkageReport | null; maps: LinkMap[] }> {
  authorize(caller, 'show-linkage')
  const linkage = await requireLinkage(deps.pool, id)
  const report = await toldReportOf(deps.pool, linkage)
  return { linkage, report, maps: await linkMapsOf(deps.pool, id) }
}

/** What may be told of a linkage under its project's rules; null until it is linked. */
export async function toldReportOf(db: Queryable, linkage: Linkage): Promise<LinkageReport | null> {
  // Only linkages under these rules have counts of this form.
  if (linkage.report === null || linkage.rulesVersion !== rulesVersion) return null
  const { rules } = await requireProject(db, linkage.projectId)
  const counts = linkage.report as unknown as LinkageCounts
  return toldReport(counts, linkRulesSchema.parse(rules).cellMin)
}
