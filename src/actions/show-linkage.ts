import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type LinkageCounts, type LinkageReport, toldReport } from '../core/linkage-report.ts'
import { linkRulesSchema, rulesVersion } from '../core/passes.ts'
import { deliveriesOfProject } from '../store/deliveries.ts'
import { findLinkage, type Linkage, linkMapsOf } from '../store/linkages.ts'
import type { Queryable } from '../store/pool.ts'
import type { Deps } from './deps.ts'
import { requireProject } from './show-project.ts'

/** The linkage of this id. @throws {Refusal} `not-found`. */
export async function requireLinkage(db: Queryable, id: string): Promise<Linkage> {
  const linkage = await findLinkage(db, id)
  if (!linkage) throw new Refusal('not-found', 'There is no such linkage.')
  return linkage
}

/** A linkage with its report and, a delivery each, how many serials were linked as far as that may be told. */
export type ShownLinkage = {
  linkage: Linkage
  report: LinkageReport | null
  deliveries: { delivery: string; serials: number | null; linked: number | null }[]
}

/** Shows it. @throws {Refusal} `grant-missing`, `not-found`. */
export async function showLinkage(deps: Deps, caller: Caller, id: string): Promise<ShownLinkage> {
  authorize(caller, 'show-linkage')
  const linkage = await requireLinkage(deps.pool, id)
  const report = await toldReportOf(deps.pool, linkage)
  const known = await deliveriesOfProject(deps.pool, linkage.projectId, ['taken'])
  const deliveries = (await linkMapsOf(deps.pool, id)).map(({ deliveryId }) => {
    const of = known.find((delivery) => delivery.id === deliveryId)
    const told = report?.deliveries.find(
      ({ agency, wave }) => agency === of?.agency && wave === of.wave,
    )
    return { delivery: deliveryId, serials: told?.serials ?? null, linked: told?.linked ?? null }
  })
  return { linkage, report, deliveries }
}

/** What may be told of a linkage under its project's rules; null until it is linked. */
export async function toldReportOf(db: Queryable, linkage: Linkage): Promise<LinkageReport | null> {
  // Only linkages under these rules have counts of this form.
  if (linkage.report === null || linkage.rulesVersion !== rulesVersion) return null
  const { rules } = await requireProject(db, linkage.projectId)
  const counts = linkage.report as unknown as LinkageCounts
  return toldReport(counts, linkRulesSchema.parse(rules).cellMin)
}
