import { readFileSync } from 'node:fs'
import type { Catalogue } from '../catalogue/schema.ts'
import { codebookOf } from '../core/codebook.ts'
import type { Policy } from '../core/policy.ts'
import { recipeSchema } from '../core/recipe.ts'
import type { PackageFile, ReleaseFacts } from '../core/release-manifest.ts'
import { roCrateOf } from '../core/ro-crate.ts'
import { findCohort, partsOfCohort } from '../store/cohorts.ts'
import { findDelivery } from '../store/deliveries.ts'
import { findLinkage, linkMapsOf } from '../store/linkages.ts'
import type { Project } from '../store/projects.ts'
import type { Release } from '../store/releases.ts'
import type { Deps } from './deps.ts'

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
  const crate = roCrateOf(await provenanceOf(deps, of))
  return {
    'codebook.csv': codebookOf(of.policy, of.catalogue),
    'ro-crate-metadata.json': `${JSON.stringify(crate, null, 2)}\n`,
  }
}

async function provenanceOf(
  deps: Pick<Deps, 'pool'>,
  { facts, files, project, policy, catalogue, release }: Described,
): Promise<Parameters<typeof roCrateOf>[0]> {
  const cohort = await findCohort(deps.pool, release.cohortId)
  const linkage = cohort && (await findLinkage(deps.pool, cohort.linkageId))
  if (!linkage) throw new Error('a cohort rests on a linkage')
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
