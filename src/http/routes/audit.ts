import { z } from 'zod'
import { addCosignature } from '../../actions/add-cosignature.ts'
import type { Deps } from '../../actions/deps.ts'
import { searchTrail } from '../../actions/search-trail.ts'
import { createProver, showCheckpoint } from '../../actions/show-checkpoint.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, sha256Schema, timeSchema } from '../schemas.ts'

const nameMax = 200
const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const proofSchema = z.object({ proof: z.array(sha256Schema).describe('Hashes, hex, lowest first') })

/** The trail, for auditors. Whoever gets a proof checks it without us. */
export function auditRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/audit/entries',
    schema: {
      operationId: 'search-trail',
      tags: ['audit'],
      summary: 'For an auditor: leaves by project, actor, action, object and time',
      querystring: z.strictObject({
        project: idSchema.optional(),
        actor: z.string().max(nameMax).optional().describe('As `agency:nhis` or `account:kim`'),
        action: z.string().max(nameMax).optional(),
        object: z.string().max(nameMax).optional(),
        from: timeSchema.optional(),
        until: timeSchema.optional().describe('Exclusive'),
        after: z.coerce
          .number()
          .int()
          .min(-1)
          .default(-1)
          .describe('Last number of the page before'),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      }),
      response: {
        200: z.object({
          entries: z.array(
            z.object({
              number: z.number().int(),
              entry: z.string().describe('Canonical JSON: exactly what was hashed'),
              leafHash: sha256Schema,
            }),
          ),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const { project, actor, action, object, from, until, after, limit } = request.query
      const leaves = await searchTrail(deps, requireCaller(request), {
        after,
        limit,
        ...(project ? { project } : {}),
        ...(actor ? { actor } : {}),
        ...(action ? { action } : {}),
        ...(object ? { object } : {}),
        ...(from ? { from: new Date(from) } : {}),
        ...(until ? { until: new Date(until) } : {}),
      })
      return {
        entries: leaves.map((leaf) => ({
          number: leaf.number,
          entry: leaf.entry.toString('utf8'),
          leafHash: leaf.leafHash.toString('hex'),
        })),
      }
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/audit/checkpoint',
    schema: {
      operationId: 'show-checkpoint',
      tags: ['audit'],
      summary: 'The newest signed checkpoint, with what witnesses have cosigned',
      querystring: z.strictObject({
        cosignedAfter: position
          .optional()
          .describe('For a witness: rather a longer one than this that another has cosigned'),
      }),
      response: {
        200: z.object({
          size: z.number().int(),
          root: sha256Schema,
          note: z.string().describe('C2SP signed note'),
          verifierKey: z.string().describe('For convenience; an auditor brings their own copy'),
          createdAt: timeSchema,
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const { size, root, note, verifierKey, createdAt } = await showCheckpoint(
        deps,
        requireCaller(request),
        request.query.cosignedAfter,
      )
      const text = { root: root.toString('hex'), createdAt: createdAt.toISOString() }
      return { size, note, verifierKey, ...text }
    },
  })

  proofRoutes(app, deps)
  cosignatureRoute(app, deps)
}

function cosignatureRoute(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/audit/cosignatures',
    schema: {
      operationId: 'add-cosignature',
      tags: ['audit'],
      summary: 'A witness cosigns a checkpoint (C2SP tlog-cosignature)',
      body: z.strictObject({
        size: z.int().min(0),
        line: z
          .string()
          .regex(/^— [^\s+]{1,200} [A-Za-z0-9+/]{100,104}={0,3}\n$/)
          .describe('The signature line, with its newline'),
      }),
      response: { 200: z.object({ isNew: z.boolean() }), ...problems },
    },
    handler: async (request) => ({
      isNew: await addCosignature(deps, requireCaller(request), request.body),
    }),
  })
}

function proofRoutes(app: App, deps: Deps): void {
  const prover = createProver(deps)
  const hexOf = (proof: Uint8Array[]): { proof: string[] } => ({
    proof: proof.map((hash) => Buffer.from(hash).toString('hex')),
  })

  app.route({
    method: 'GET',
    url: '/v1/audit/proofs/inclusion',
    schema: {
      operationId: 'prove-inclusion',
      tags: ['audit'],
      summary: 'That a leaf is in the tree of a size (RFC 6962)',
      querystring: z.strictObject({ index: position, size: position }),
      response: { 200: proofSchema, ...problems },
    },
    handler: async (request) => {
      const { index, size } = request.query
      return hexOf(await prover.inclusion(requireCaller(request), index, size))
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/audit/proofs/consistency',
    schema: {
      operationId: 'prove-consistency',
      tags: ['audit'],
      summary: 'That the tree of one size begins with the tree of another (RFC 6962)',
      querystring: z.strictObject({ size1: position, size2: position }),
      response: { 200: proofSchema, ...problems },
    },
    handler: async (request) => {
      const { size1, size2 } = request.query
      return hexOf(await prover.consistency(requireCaller(request), size1, size2))
    },
  })
}
