import { type Catalogue, catalogueSchema } from '../catalogue/schema.ts'
import { authorize, type Caller } from '../core/grants.ts'
import type { LinkageReport } from '../core/linkage-report.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { qualityCountsSchema } from '../core/quality-counts.ts'
import { changeOf, flowOf, toldTables, wavesOf } from '../core/quality-flow.ts'
import type { QualityReport } from '../core/quality-report.ts'
import { qualityTable } from '../core/quality-table.ts'
import { recipeSchema } from '../core/recipe.ts'
import { qualityPage } from '../report/page.ts'
import type { Language } from '../report/words.ts'
import { agencyTitles } from '../store/agencies.ts'
import { cohortTables, findQuality } from '../store/cohorts.ts'
import type { Linkage } from '../store/linkages.ts'
import { keysSetAside } from '../store/parts.ts'
import type { Queryable } from '../store/pool.ts'
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
  return qualityOf(deps.pool, await requireLinkage(deps.pool, linkageId))
}

/** The quality report of a linkage as anybody may read it. */
export async function qualityOf(db: Queryable, linkage: Linkage): Promise<QualityReport> {
  const project = await requireProject(db, linkage.projectId)
  const members = await agenciesOfProject(db, project.id)
  const spine = members.find(({ isSpine }) => isSpine)?.agency
  const told = await toldReportOf(db, linkage)
  // The deliveries that the linkage read had been taken in before it ended.
  const until = linkage.endedAt ?? linkage.createdAt
  const setAside = await keysSetAside(db, { projectId: project.id, until })
  const { cellMin: threshold } = linkRulesSchema.parse(project.rules)
  const { version, keyTypes } = recipeSchema.parse(project.recipe)
  const names = members.map(({ agency }) => agency)
  const catalogue = catalogueSchema.parse(project.catalogue)
  return {
    format: 'gyeol-quality-1',
    linkage: linkage.id,
    isTrial: linkage.isTrial,
    project: { id: project.id, name: project.name },
    rulesVersion: linkage.rulesVersion,
    createdAt: linkage.createdAt.toISOString(),
    endedAt: linkage.endedAt?.toISOString() ?? null,
    threshold,
    persons: linkage.persons,
    titles: { ...(await agencyTitles(db, names)), ...tableTitlesOf(catalogue) },
    regions: regionsOf(catalogue),
    recipe: { version, keyTypes },
    hubs: told?.hubs ?? {},
    notices: told?.notices ?? { used: null, setAside: null },
    cases: told?.cases ?? null,
    flow: told ? flowOf(told, spine, setAside) : [],
    waves: told ? wavesOf(told, spine) : [],
    change: told && changeOf(told, await toldBefore(db, linkage)),
    ...(await countedOf(db, linkage.id, threshold)),
  }
}

/** What is told of the linkage before, if there was one. */
async function toldBefore(
  db: Queryable,
  { previousId }: Linkage,
): Promise<{ linkage: string; told: LinkageReport | null } | undefined> {
  if (previousId === null) return undefined
  const previous = await requireLinkage(db, previousId)
  return { linkage: previousId, told: await toldReportOf(db, previous) }
}

/** What the data side counted of a cohort of the linkage. */
async function countedOf(
  db: Queryable,
  linkageId: string,
  threshold: number,
): Promise<Pick<QualityReport, 'cohort' | 'countedAt' | 'tables' | 'counts'>> {
  const counted = await findQuality(db, linkageId)
  if (!counted) return { cohort: null, countedAt: null, tables: [], counts: null }
  return {
    cohort: counted.cohortId,
    countedAt: counted.countedAt.toISOString(),
    tables: toldTables(await cohortTables(db, counted.cohortId), threshold),
    counts: qualityCountsSchema.parse(counted.counts),
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

/**
 * The same report as a table: CSV, a line a number.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showQualityTable(
  deps: Deps,
  caller: Caller,
  linkageId: string,
): Promise<string> {
  return qualityTable(await showQuality(deps, caller, linkageId))
}

function tableTitlesOf({ tables }: Catalogue): QualityReport['titles'] {
  const titles = Object.entries(tables).map(([name, { title }]) => [`tables.${name}`, title])
  return Object.fromEntries(titles)
}

/** What the codes of regions mean, where the catalogue says so. */
function regionsOf({ tables }: Catalogue): QualityReport['regions'] {
  const columns = Object.values(tables).flatMap((table) => Object.values(table.columns))
  const labels = columns.flatMap(({ role, labels: of }) => (role === 'region' && of ? [of] : []))
  return Object.assign({}, ...labels)
}
