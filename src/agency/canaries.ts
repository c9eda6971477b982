/**
 * Asks the service for the project's recipe, and whether this tool with this key follows it. The keys of the dummy persons
 * are computed the way `prepare` computes them, so that the answer is about what will be delivered.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canaryPersons } from '../core/canary-persons.ts'
import {
  type CanaryAnswers,
  type CanarySubmission,
  canaryAnswersSchema,
} from '../core/canary-table.ts'
import { type RecipeAnswer, recipeAnswerSchema } from '../core/manifest.ts'
import type { KeyType, Recipe } from '../core/recipe.ts'
import { quoteIdentifier } from '../engine/session.ts'
import type { Client } from './client.ts'
import { keySql, normalisedSql, padsOf } from './recipe-sql.ts'
import { openAgencySession } from './session.ts'

/** The recipe, this agency's key types, and its tables with their columns. */
export function askRecipe(client: Client, project: string): Promise<RecipeAnswer> {
  const path = `/v1/projects/${encodeURIComponent(project)}/recipe`
  return client.ask('GET', path, { schema: recipeAnswerSchema })
}

/**
 * Sends the keys of the dummy persons and gives the service's answer.
 *
 * @throws {Refusal} `not-found` if the project has no canary table.
 */
export async function askCanaries(
  client: Client,
  project: string,
  agenciesKey: Uint8Array,
): Promise<CanaryAnswers> {
  const { recipe, keyTypes } = await askRecipe(client, project)
  const body = await canaryKeys(recipe, keyTypes, agenciesKey)
  const path = `/v1/projects/${encodeURIComponent(project)}/canaries`
  return client.ask('POST', path, { schema: canaryAnswersSchema, body })
}

/** The keys of the dummy persons under a key, as they are submitted. */
export async function canaryKeys(
  recipe: Recipe,
  types: readonly KeyType[],
  agenciesKey: Uint8Array,
): Promise<CanarySubmission> {
  const workDir = await mkdtemp(join(tmpdir(), 'gyeol-canary-'))
  const session = await openAgencySession({ workDir, dirs: [], memoryMiB: 100, threads: 1 })
  try {
    const { ipad, opad } = padsOf(agenciesKey)
    await session.run('set variable ipad = $1', [ipad])
    await session.run('set variable opad = $1', [opad])
    const fields = Object.entries(recipe.fields)
    const raw = fields.map(
      ([field], index) => `$${index + 1}::varchar as ${quoteIdentifier(field)}`,
    )
    const normalised = fields.map(
      ([field, rule]) =>
        `${normalisedSql(rule, quoteIdentifier(field))} as ${quoteIdentifier(field)}`,
    )
    const keys = types.map((type) => {
      const parts = (recipe.keyTypes[type] ?? []).map(quoteIdentifier)
      return `${keySql(recipe, type, parts)} as ${type}`
    })
    const query = `select ${keys.join(', ')}
      from (select ${normalised.join(', ')} from (select ${raw.join(', ')}))`
    const submitted: CanarySubmission['keys'] = {}
    for (const [index, person] of canaryPersons(recipe).entries()) {
      const values = fields.map(([field]) => person[field] ?? '')
      const [row] = await session.rows(query, values)
      submitted[String(index + 1)] = Object.fromEntries(
        types.map((type) => [type, row?.[type] == null ? null : String(row[type])]),
      )
    }
    return { keys: submitted }
  } finally {
    session.close()
    await rm(workDir, { recursive: true, force: true })
  }
}
