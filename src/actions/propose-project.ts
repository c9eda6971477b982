import { z } from 'zod'
import { catalogueSchema } from '../catalogue/schema.ts'
import { canaryTableSchema } from '../core/canary-table.ts'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { recipeSchema } from '../core/recipe.ts'
import { requireReviewersOfGrade, reviewShape } from '../core/review.ts'
import { agencyIdsOf } from '../store/agencies.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject, insertProject, type ProjectAgency } from '../store/projects.ts'
import { type Deps, leafBy } from './deps.ts'

const keyTypes = ['K1', 'K2', 'K3', 'K4', 'K5'] as const
const agenciesMax = 100

/** A project as it is proposed: everything that two people must agree on before an agency sends anything. */
export const projectProposalSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/)
    .describe('Short name: a to z, 0 to 9 and hyphens'),
  purpose: z.string().min(1).max(2000),
  catalogue: catalogueSchema.describe('The tables and columns that agencies may send'),
  recipe: recipeSchema.describe('How agencies make keys'),
  canaries: canaryTableSchema.nullable().default(null).describe('From the key ceremony'),
  rules: linkRulesSchema.prefault({}).describe('Settings of the linkage'),
  macAlgorithm: z.enum(['cmac-aes-256', 'cmac-aria-256', 'hmac-sha-256']).default('cmac-aes-256'),
  agencies: z
    .array(
      z.strictObject({
        agency: z.string().max(63),
        isSpine: z.boolean().default(false),
        isDuplicateFree: z.boolean().default(false),
        keyTypes: z.array(z.enum(keyTypes)).min(1).max(keyTypes.length),
      }),
    )
    .min(1)
    .max(agenciesMax),
  ...reviewShape,
})
export type ProjectProposal = z.infer<typeof projectProposalSchema>

/**
 * Proposes a project. It does nothing until another person approves it.
 *
 * @returns the project's id.
 * @throws {Refusal} `grant-missing`, `not-found` (an agency), `already-exists`, `input-malformed`.
 */
export async function proposeProject(
  deps: Deps,
  caller: Caller,
  proposal: ProjectProposal,
): Promise<string> {
  authorize(caller, 'propose-project')
  requireSound(proposal)
  const id = deps.randomUuid()
  return inTransaction(deps.pool, 'propose-project', async (tx) => {
    const ids = await agencyIdsOf(
      tx,
      proposal.agencies.map((agency) => agency.agency),
    )
    const agencies = proposal.agencies.map((agency): ProjectAgency => {
      const agencyId = ids.get(agency.agency)
      if (!agencyId) throw new Refusal('not-found', 'An agency of the proposal is not registered.')
      return { agencyId, ...agency }
    })
    if (await findProject(tx, proposal.name)) {
      throw new Refusal('already-exists', 'A project of this name exists. Choose another name.')
    }
    await insertProject(tx, { ...proposal, id, createdBy: accountOf(caller).id }, agencies)
    await appendLeaf(tx, { ...leafBy(caller, 'propose-project', id), project: id })
    return id
  })
}

/** What the parts of a proposal must agree on among themselves. */
function requireSound(proposal: ProjectProposal): void {
  requireReviewersOfGrade(proposal)
  const names = proposal.agencies.map((agency) => agency.agency)
  if (new Set(names).size !== names.length) {
    throw new Refusal('input-malformed', 'An agency is named twice in the proposal.')
  }
  if (proposal.agencies.filter((agency) => agency.isSpine).length !== 1) {
    throw new Refusal('input-malformed', 'Exactly one agency of a project is the spine.')
  }
  for (const [table, { agency }] of Object.entries(proposal.catalogue.tables)) {
    if (!names.includes(agency)) {
      throw new Refusal('input-malformed', 'A table belongs to an agency outside the project.', {
        table,
      })
    }
  }
  for (const { keyTypes: declared } of proposal.agencies) {
    for (const keyType of declared) {
      if (!(keyType in proposal.recipe.keyTypes)) {
        throw new Refusal('input-malformed', 'The recipe does not say how to make a key type.', {
          keyType,
        })
      }
    }
  }
}
