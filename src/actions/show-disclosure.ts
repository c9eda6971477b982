import { type Catalogue, catalogueSchema } from '../catalogue/schema.ts'
import { sensitiveLists } from '../catalogue/sensitive.ts'
import { textOfRule } from '../core/codebook.ts'
import { isIncluded } from '../core/disclosure-report.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type Policy, policySchema } from '../core/policy.ts'
import type { ShownDisclosure } from '../core/shown-disclosure.ts'
import { toldDisclosureSchema, toldUtilitySchema } from '../core/told-disclosure.ts'
import { disclosurePage } from '../report/disclosure-page.ts'
import type { Language } from '../report/words.ts'
import { disclosureOf } from '../store/releases.ts'
import type { Deps } from './deps.ts'
import { requireProject } from './show-project.ts'
import { requireRelease } from './show-release.ts'

/**
 * How recognisable the persons of a release are and what it lost: what reviewers read before they judge.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showDisclosure(
  deps: Deps,
  caller: Caller,
  id: string,
): Promise<ShownDisclosure> {
  authorize(caller, 'show-disclosure')
  const release = await requireRelease(deps.pool, id)
  const project = await requireProject(deps.pool, release.projectId)
  const policy = policySchema.parse(release.policy)
  const { disclosure, utility } = await disclosureOf(deps.pool, id)
  return {
    format: 'gyeol-shown-disclosure-1',
    release: release.id,
    project: { id: project.id, name: project.name },
    state: release.state,
    builtAt: release.builtAt?.toISOString() ?? null,
    recipient: release.recipient,
    purpose: release.purpose,
    place: release.place,
    validUntil: release.validUntil?.toISOString() ?? null,
    policy: {
      name: policy.name,
      version: policy.version,
      type: policy.type,
      sha256: Buffer.from(release.policySha256).toString('hex'),
      dates: policy.dates,
    },
    measures: measuresOf(policy),
    sensitiveClasses: classesOf(policy),
    titles: titlesOf(policy, catalogueSchema.parse(project.catalogue)),
    told: disclosure === null ? null : toldDisclosureSchema.parse(disclosure),
    utility: utility === null ? null : toldUtilitySchema.parse(utility),
  }
}

/**
 * The same report as a page for people.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showDisclosurePage(
  deps: Deps,
  caller: Caller,
  wanted: { release: string; language: Language },
): Promise<string> {
  return disclosurePage(await showDisclosure(deps, caller, wanted.release), wanted.language)
}

function measuresOf({ measures, tables }: Policy): ShownDisclosure['measures'] {
  if (!measures) return null
  return {
    k: measures.k,
    missing: measures.missing,
    quasiIdentifiers: measures.quasiIdentifiers.map(({ table, column }) => {
      const rule = tables[table]?.columns[column]
      return { table, column, rule: rule ? textOfRule(rule) : '' }
    }),
    sensitive: measures.sensitive.map(({ table, column, ...bounds }) => ({
      table,
      column,
      distinctLMin: bounds.distinctLMin ?? null,
      entropyLMin: bounds.entropyLMin ?? null,
      tMax: bounds.tMax ?? null,
    })),
    recordsMaxShare: measures.suppression?.recordsMaxShare ?? null,
    cellsMaxShare: measures.suppression?.cellsMaxShare ?? null,
  }
}

function classesOf(policy: Policy): ShownDisclosure['sensitiveClasses'] {
  const { version, status, classes } = sensitiveLists()
  const leftOut = Object.keys(classes).filter((name) => !isIncluded(policy, name))
  return { version, status, leftOut, included: policy.sensitive?.include ?? [] }
}

/** Of what the policy names, and of sensitive classes. */
function titlesOf(policy: Policy, { tables }: Catalogue): ShownDisclosure['titles'] {
  const titles = Object.entries(tables).flatMap(([table, { title, columns }]) => {
    if (!Object.hasOwn(policy.tables, table)) return []
    const of = Object.entries(columns).map(([column, about]) => {
      return [`${table}.${column}`, about.title] as const
    })
    return [[table, title] as const, ...of]
  })
  const classes = Object.entries(sensitiveLists().classes).map(([name, { title }]) => {
    return [name, title] as const
  })
  return Object.fromEntries([...titles, ...classes])
}
