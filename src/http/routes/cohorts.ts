import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { requestCohort } from '../../actions/request-cohort.ts'
import { showCohort } from '../../actions/show-cohort.ts'
import type { App } from '../app.ts'
import { idSchema, problems, projectNameSchema, requireCaller, timeSchema } from '../schemas.ts'

const cohortSchema = z
  .object({
    cohort: idSchema,
    project: idSchema,
    linkage: idSchema,
    state: z.enum(['queued', 'assembled', 'failed']),
    job: idSchema.nullable(),
    tables: z.array(
      z.object({
        table: z.string(),
        rows: z.number().int().describe('Of the typed parts'),
        kept: z.number().int(),
        outside: z.number().int().describe('Dropped: of persons outside the spine'),
        unknown: z.number().int().describe('Dropped: of serials that no part of keys names'),
      }),
    ),
    createdAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Cohort' })

/** Cohorts: asked for by an operator, assembled part by part on the data side. */
export function cohortRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/cohorts',
    schema: {
      operationId: 'request-cohort',
      tags: ['cohorts'],
      summary: 'For an operator: assemble the cohort of a linkage',
      params: z.strictObject({ project: projectNameSchema }),
      body: z.strictObject({ linkage: idSchema }),
      response: { 202: z.object({ cohort: idSchema, job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const { project } = request.params
      const { linkage } = request.body
      const wanted = await requestCohort(deps, requireCaller(request), { project, linkage })
      return reply.code(202).header('location', `/v1/cohorts/${wanted.cohort}`).send(wanted)
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/cohorts/:cohort',
    schema: {
      operationId: 'show-cohort',
      tags: ['cohorts'],
      summary: 'A cohort and its tables',
      params: z.strictObject({ cohort: idSchema }),
      response: { 200: cohortSchema, ...problems },
    },
    handler: async (request) => {
      const caller = requireCaller(request)
      const { cohort, tables } = await showCohort(deps, caller, request.params.cohort)
      return {
        cohort: cohort.id,
        project: cohort.projectId,
        linkage: cohort.linkageId,
        state: cohort.state,
        job: cohort.jobId,
        tables,
        createdAt: cohort.createdAt.toISOString(),
        endedAt: cohort.endedAt?.toISOString() ?? null,
      }
    },
  })
}
