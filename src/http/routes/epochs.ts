import { z } from 'zod'
import { approveKeyChange } from '../../actions/approve-key-change.ts'
import type { Deps } from '../../actions/deps.ts'
import { proposeKeyChange } from '../../actions/propose-key-change.ts'
import type { App } from '../app.ts'
import { idSchema, problems, projectNameSchema, requireCaller } from '../schemas.ts'

const epochSchema = z.int().min(2).max(9999)

/** Changes of a project's linkage key: proposed by one custodian, approved by another. */
export function epochRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/epochs',
    schema: {
      operationId: 'propose-key-change',
      tags: ['projects'],
      summary: 'For a custodian: propose another linkage key',
      params: z.strictObject({ project: projectNameSchema }),
      body: z.strictObject({ reason: z.string().min(1).max(2000) }),
      response: { 201: z.object({ epoch: epochSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const wanted = { ...request.params, ...request.body }
      const epoch = await proposeKeyChange(deps, requireCaller(request), wanted)
      return reply.code(201).send({ epoch })
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/projects/:project/epochs/:epoch/approval',
    schema: {
      operationId: 'approve-key-change',
      tags: ['projects'],
      summary: 'For another custodian: from then on deliveries are taken in under the new key',
      params: z.strictObject({
        project: projectNameSchema,
        epoch: z.coerce.number().int().min(2).max(9999),
      }),
      response: { 202: z.object({ job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const job = await approveKeyChange(deps, requireCaller(request), request.params)
      return reply.code(202).header('location', `/v1/jobs/${job}`).send({ job })
    },
  })
}
