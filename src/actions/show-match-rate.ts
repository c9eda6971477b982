import { authorize, type Caller } from '../core/grants.ts'
import type { LinkageReport } from '../core/linkage-report.ts'
import { linkageToExtract } from '../store/extractions.ts'
import { newestLinkage } from '../store/linkages.ts'
import type { Deps } from './deps.ts'
import { toldReportOf } from './show-linkage.ts'
import { requireMembership, requireProject } from './show-project.ts'

type AgencyReport = LinkageReport['agencies'][string]

/** How many serials of each agency the newest linkage or trial found; small counts are not told. */
export type MatchRate = {
  linkage: string
  isTrial: boolean
  threshold: number
  /** To an agency: the linkage of which it may fetch the list of its own linked serials. */
  extraction: string | null
  agencies: ({ agency: string } & Pick<AgencyReport, 'serials' | 'linked' | 'rate'>)[]
}

/**
 * The match rate of a project, from keys alone: of every agency for the operator, its own for an agency.
 *
 * An agency that delivers one person more sees by how much its count grew. So how many are linked is told only where it
 * could be told of each of its waves: a wave of few tells nothing, and nor does the whole while it is there.
 *
 * @returns null before the first linkage.
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showMatchRate(
  deps: Deps,
  caller: Caller,
  projectName: string,
): Promise<MatchRate | null> {
  authorize(caller, 'show-match-rate')
  const { id } =
    caller.kind === 'agency'
      ? (await requireMembership(deps.pool, caller, projectName)).project
      : await requireProject(deps.pool, projectName)
  const linkage = await newestLinkage(deps.pool, id, { withTrials: true })
  const report = linkage && (await toldReportOf(deps.pool, linkage))
  if (!linkage || !report) return null
  const agencies = Object.entries(report.agencies).flatMap(([agency, counts]) => {
    if (caller.kind === 'agency' && agency !== caller.name) return []
    const waves = report.deliveries.filter((wave) => wave.agency === agency)
    const isTold = waves.every(({ linked }) => linked !== null)
    const { serials, linked, rate } = counts
    return [{ agency, serials, ...(isTold ? { linked, rate } : { linked: null, rate: null }) }]
  })
  const extraction =
    caller.kind === 'agency'
      ? await linkageToExtract(deps.pool, { projectId: id, agencyId: caller.id })
      : undefined
  return {
    linkage: linkage.id,
    isTrial: linkage.isTrial,
    threshold: report.threshold,
    extraction: extraction ?? null,
    agencies,
  }
}
