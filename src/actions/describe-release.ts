import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Catalogue } from '../catalogue/schema.ts'
import type { Json } from '../core/canonical.ts'
import { codebookOf } from '../core/codebook.ts'
import type { Policy } from '../core/policy.ts'
import { recipeSchema } from '../core/recipe.ts'
import type { PackageFile, ReleaseFacts } from '../core/release-manifest.ts'
import { roCrateOf } from '../core/ro-crate.ts'
import { type Cohort, findCohort, partsOfCohort } from '../store/cohorts.ts'
import { findDelivery } from '../store/deliveries.ts'
import { findLinkage, type Linkage, linkMapsOf } from '../store/linkages.ts'
import type { Project } from '../store/projects.ts'
import type { Release } from '../store/releases.ts'
import type { Deps } from './deps.ts'
import { qualityOf } from './show-quality.ts'

/** What a release is described by. */
export type Described = {
  release: Release
  project: Project
  policy: Policy
  catalogue: Catalogue
  facts: ReleaseFacts
  /** Every file that is there already. */
  files: readonly PackageFile[]
}

const { version: softwareVersion } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string }

/**
 * The texts that go along with a package for people and for machines that know no policy: name → text. The list of changed
 * pseudonyms is among them when an earlier release of the domain exists.
 */
export async function descriptionsOf(
  deps: Pick<Deps, 'pool'>,
  of: Described,
): Promise<Record<string, string>> {
  const cohort = await findCohort(deps.pool, of.release.cohortId)
  const linkage = cohort && (await findLinkage(deps.pool, cohort.linkageId))
  if (!linkage) throw new Error('a cohort rests on a linkage')
  const texts = {
    'codebook.csv': codebookOf(of.policy, of.catalogue),
    'linkage-quality.json': jsonText(await qualityOf(deps.pool, linkage)),
  }
  const files = [...of.files, ...Object.entries(texts).map(fileOf)]
  const crate = roCrateOf(await provenanceOf(deps, { ...of, files, cohort, linkage }))
  return { ...texts, 'ro-crate-metadata.json': jsonText(crate) }
}

function jsonText(document: object | Json): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

/** A text as the file of the package that it will be. */
export function fileOf([name, text]: [string, string]): PackageFile {
  const bytes = Buffer.from(text)
  return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

async function provenanceOf(
  deps: Pick<Deps, 'pool'>,
  of: Described & { cohort: Cohort; linkage: Linkage },
): Promise<Parameters<typeof roCrateOf>[0]> {
  const { facts, files, project, policy, catalogue, cohort, linkage } = of
  const parts = await partsOfCohort(deps.pool, cohort.id)
  const maps = await linkMapsOf(deps.pool, linkage.id) // Of keys alone, too: they are what was linked.
  const ids = [...new Set([...maps, ...parts].map(({ deliveryId }) => deliveryId))].sort()
  const deliveries = await Promise.all(ids.map((id) => findDelivery(deps.pool, id)))
  return {
    facts,
    files,
    project: {
      name: project.name,
      recipe: recipeSchema.parse(project.recipe).version,
      catalogue: { name: catalogue.name, version: catalogue.version },
    },
    policy,
    deliveries: deliveries.flatMap((delivery) =>
      delivery === undefined
        ? []
        : [{ ...delivery, submittedAt: delivery.submittedAt?.toISOString() ?? null }],
    ),
    linkage: {
      rulesVersion: linkage.rulesVersion,
      endedAt: linkage.endedAt?.toISOString() ?? null,
    },
    cohort: { endedAt: cohort.endedAt?.toISOString() ?? null },
    software: softwareVersion,
  }
}
