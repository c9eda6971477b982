import { type CatalogueTable, catalogueSchema } from '../catalogue/schema.ts'
import type { CanarySubmission } from '../core/canary-table.ts'
import { answerCanaries, type CanaryAnswers, canaryTableSchema } from '../core/canary-table.ts'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type Recipe, recipeSchema } from '../core/recipe.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireMembership } from './show-project.ts'

/** All that an agency needs to prepare its delivery. */
export type AgencyRecipe = {
  project: string
  name: string
  agency: string
  recipe: Recipe
  keyTypes: string[]
  tables: Record<string, CatalogueTable>
}

/**
 * The recipe of keys and the agency's own tables.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showRecipe(
  deps: Deps,
  caller: Caller,
  projectName: string,
): Promise<AgencyRecipe> {
  authorize(caller, 'show-recipe')
  const { project, member } = await requireMembership(deps.pool, caller, projectName)
  const catalogue = catalogueSchema.parse(project.catalogue)
  const tables = Object.entries(catalogue.tables).filter(([, t]) => t.agency === member.agency)
  return {
    project: project.id,
    name: project.name,
    agency: member.agency,
    recipe: recipeSchema.parse(project.recipe),
    keyTypes: member.keyTypes,
    tables: Object.fromEntries(tables),
  }
}

/**
 * Says which mistake, if any, an agency makes when it computes keys.
 *
 * @throws {Refusal} `not-found` also where the project has no canary table.
 */
export async function showCanaryAnswers(
  deps: Deps,
  caller: Caller,
  projectName: string,
  submission: CanarySubmission,
): Promise<CanaryAnswers> {
  authorize(caller, 'answer-canaries')
  const { project } = await requireMembership(deps.pool, caller, projectName)
  if (project.canaries === null) {
    throw new Refusal('not-found', 'This project has no canary table. Ask the key custodian.')
  }
  const answers = answerCanaries(canaryTableSchema.parse(project.canaries), submission)
  await inTransaction(deps.pool, 'answer-canaries', async (tx) => {
    await appendLeaf(tx, {
      ...leafBy(caller, 'answer-canaries', project.id),
      project: project.id,
      note: answers.isRight ? 'right' : 'wrong',
    })
  })
  return answers
}
