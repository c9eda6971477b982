import { type Catalogue, catalogueSchema } from '../catalogue/schema.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { qualityCountsSchema } from '../core/quality-counts.ts'
import { flowOf, type QualityReport } from '../core/quality-report.ts'
import { qualityPage } from '../report/page.ts'
import type { Language } from '../report/words.ts'
import { agencyTitles } from '../store/agencies.ts'
import { findQuality } from '../store/cohorts.ts'
import { agenciesOfProject } from '../store/projects.ts'
import type { Deps } from './deps.ts'
import { requireLinkage, toldReportOf } from './show-linkage.ts'
import { requireProject } from './show-project.ts'

/**
 * The quality report of a linkage. What the data side counts is in it once a cohort of the linkage has been counted.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showQuality(
  deps: Deps,
  caller: Caller,
  linkageId: string,
): Promise<QualityReport> {
  authorize(caller, 'show-quality')
  const linkage = await requireLinkage(deps.pool, linkageId)
  const project = await requireProject(deps.pool, linkage.projectId)
  const members = await agenciesOfProject(deps.pool, project.id)
  const spine = members.find(({ isSpine }) => isSpine)?.agency
  const told = await toldReportOf(deps.pool, linkage)
  const counted = await findQuality(deps.pool, linkage.id)
  const names = members.map(({ agency }) => agency)
  return {
    format: 'gyeol-quality-1',
    linkage: linkage.id,
    isTrial: linkage.isTrial,
    project: { id: project.id, name: project.name },
    rulesVersion: linkage.rulesVersion,
    createdAt: linkage.createdAt.toISOString(),
    endedAt: linkage.endedAt?.toISOString() ?? null,
    threshold: linkRulesSchema.parse(project.rules).cellMin,
    persons: linkage.persons,
    titles: await agencyTitles(deps.pool, names),
    regions: regionsOf(catalogueSchema.parse(project.catalogue)),
    hubs: told?.hubs ?? {},
    cases: told?.cases ?? null,
    flow: told ? flowOf(told, spine) : [],
    cohort: counted?.cohortId ?? null,
    countedAt: counted?.countedAt.toISOString() ?? null,
    counts: counted ? qualityCountsSchema.parse(counted.counts) : null,
  }
}

/**
 * The same report as a page for people.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showQualityPage(
  deps: Deps,
  caller: Caller,
  wanted: { linkage: string; language: Language },
): Promise<string> {
  return qualityPage(await showQuality(deps, caller, wanted.linkage), wanted.language)
}

/** What the codes of regions mean, where the catalogue says so. */
function regionsOf({ tables }: Catalogue): QualityReport['regions'] {
  const columns = Object.values(tables).flatMap((table) => Object.values(table.columns))
  const labels = columns.flatMap(({ role, labels: of }) => (role === 'region' && of ? [of] : []))
  return Object.assign({}, ...labels)
}
