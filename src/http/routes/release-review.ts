import { z } from 'zod'
import { approveRelease } from '../../actions/approve-release.ts'
import type { Deps } from '../../actions/deps.ts'
import { recordFinding } from '../../actions/record-finding.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, sha256Schema, timeSchema } from '../schemas.ts'

const textMax = 2000
const releaseParams = z.strictObject({ release: idSchema })

/** Findings about a release, and the head's approval. */
export function releaseReviewRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/releases/:release/findings',
    schema: {
      operationId: 'record-finding',
      tags: ['releases'],
      summary: 'For a reviewer: one of three questions, answered about exactly this manifest',
      params: releaseParams,
      body: z.strictObject({
        kind: z.enum(['relevance', 'recognisability', 'safety']),
        verdict: z.enum(['pass', 'fail']),
        reason: z.string().min(1).max(textMax),
        manifestSha256: sha256Schema,
        declaresNoInterest: z.boolean().describe('Who has an interest does not review: 403'),
      }),
      response: { 201: z.object({ recorded: z.literal(true) }), ...problems },
    },
    handler: async (request, reply) => {
      const releaseId = request.params.release
      await recordFinding(deps, requireCaller(request), { ...request.body, releaseId })
      return reply.code(201).send({ recorded: true as const })
    },
  })

  app.route({
    method: 'POST',
    url: '/v1/releases/:release/approval',
    schema: {
      operationId: 'approve-release',
      tags: ['releases'],
      summary: 'For the head: these bytes, this recipient, purpose, place and period',
      params: releaseParams,
      body: z.strictObject({
        manifestSha256: sha256Schema,
        recipient: z.string().max(63),
        purpose: z.string().max(textMax),
        place: z.string().max(textMax),
        validUntil: timeSchema,
      }),
      response: { 202: z.object({ job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const job = await approveRelease(deps, requireCaller(request), {
        ...request.body,
        releaseId: request.params.release,
        validUntil: new Date(request.body.validUntil),
      })
      return reply.code(202).header('location', `/v1/jobs/${job}`).send({ job })
    },
  })
}
