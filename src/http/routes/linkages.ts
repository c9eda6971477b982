import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { requestLinkage } from '../../actions/request-linkage.ts'
import { showLinkage } from '../../actions/show-linkage.ts'
import { showMatchRate } from '../../actions/show-match-rate.ts'
import type { App } from '../app.ts'
import { idSchema, problems, projectNameSchema, requireCaller, timeSchema } from '../schemas.ts'

const linkageSchema = z
  .object({
    linkage: idSchema,
    project: idSchema,
    isTrial: z.boolean().describe('Counts only: no cohort can rest on it'),
    state: z.enum(['queued', 'linked', 'failed']),
    rulesVersion: z.string(),
    job: idSchema.nullable(),
    persons: z.number().int().nullable().describe('In the spine'),
    report: z.record(z.string(), z.unknown()).nullable(),
    deliveries: z.array(
      z.object({
        delivery: idSchema,
        serials: z.number().int().nullable().describe('Null where it is not told'),
        linked: z.number().int().nullable(),
      }),
    ),
    createdAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Linkage' })

const share = z.number().min(0).max(1)
const matchRateSchema = z.object({
  linkage: idSchema.nullable().describe('The newest, trials among them; null before the first'),
  isTrial: z.boolean().nullable(),
  threshold: z.number().int().nullable().describe('Counts of fewer are null'),
  extraction: idSchema
    .nullable()
    .describe('To an agency: the linkage of which it may fetch its own linked serials'),
  agencies: z.array(
    z.object({
      agency: z.string(),
      serials: z.number().int().nullable(),
      linked: z.number().int().nullable(),
      rate: z.object({ share, low: share, high: share }).nullable().describe('95 % interval'),
    }),
  ),
})

const nothingLinked: z.infer<typeof matchRateSchema> = {
  linkage: null,
  isTrial: null,
  threshold: null,
  extraction: null,
  agencies: [],
}

/** Linkages: asked for by an operator, done by the key side. */
export function linkageRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/linkages',
    schema: {
      operationId: 'request-linkage',
      tags: ['linkages'],
      summary: 'For an operator: link everything that has been taken in, or try how that would go',
      params: z.strictObject({ project: projectNameSchema }),
      body: z
        .strictObject({ trial: z.boolean().default(false).describe('Counts only') })
        .nullish()
        .describe('May be left out'),
      response: { 202: z.object({ linkage: idSchema, job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const wanted = { ...request.params, trial: request.body?.trial ?? false }
      const asked = await requestLinkage(deps, requireCaller(request), wanted)
      return reply.code(202).header('location', `/v1/linkages/${asked.linkage}`).send(asked)
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/projects/:project/match-rate',
    schema: {
      operationId: 'show-match-rate',
      tags: ['linkages'],
      summary: 'How many serials were linked: of every agency, or to an agency its own',
      params: z.strictObject({ project: projectNameSchema }),
      response: { 200: matchRateSchema, ...problems },
    },
    handler: async (request) => {
      const found = await showMatchRate(deps, requireCaller(request), request.params.project)
      return found ?? nothingLinked
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage',
    schema: {
      operationId: 'show-linkage',
      tags: ['linkages'],
      summary: 'A linkage with its report',
      params: z.strictObject({ linkage: idSchema }),
      response: { 200: linkageSchema, ...problems },
    },
    handler: async (request) => {
      const caller = requireCaller(request)
      const { linkage, report, deliveries } = await showLinkage(
        deps,
        caller,
        request.params.linkage,
      )
      return {
        linkage: linkage.id,
        project: linkage.projectId,
        isTrial: linkage.isTrial,
        state: linkage.state,
        rulesVersion: linkage.rulesVersion,
        job: linkage.jobId,
        persons: linkage.persons,
        report,
        deliveries,
        createdAt: linkage.createdAt.toISOString(),
        endedAt: linkage.endedAt?.toISOString() ?? null,
      }
    },
  })
}
