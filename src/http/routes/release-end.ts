import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { recallRelease } from '../../actions/recall-release.ts'
import { reportEnd } from '../../actions/report-end.ts'
import { requestDestruction, showCertificate } from '../../actions/request-destruction.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, timeSchema } from '../schemas.ts'
import { downloadSchema, downloadView } from './release-files.ts'

const textMax = 4000
const releaseParams = z.strictObject({ release: idSchema })

/** Recall, the recipient's last words, and destruction. */
export function releaseEndRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/releases/:release/recall',
    schema: {
      operationId: 'recall-release',
      tags: ['releases'],
      summary: 'The stop button: jobs and downloads end at once, and destruction is due',
      params: releaseParams,
      body: z.strictObject({ reason: z.string().min(1).max(textMax) }),
      response: {
        200: z.object({
          state: z.literal('recalled'),
          endReportDueAt: timeSchema,
          destructionDueAt: timeSchema,
          taken: z.array(downloadSchema).describe('Who took what before'),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const { reason } = request.body
      const recall = { releaseId: request.params.release, reason }
      const { taken, ...due } = await recallRelease(deps, requireCaller(request), recall)
      return {
        state: 'recalled' as const,
        endReportDueAt: due.endReportDueAt.toISOString(),
        destructionDueAt: due.destructionDueAt.toISOString(),
        taken: taken.map(downloadView),
      }
    },
  })

  statementRoute(app, deps, {
    kind: 'end-report',
    summary: 'For the recipient: what the release was used for; it ends with it',
  })
  statementRoute(app, deps, {
    kind: 'destruction-confirmation',
    summary: 'For the recipient: no copy of it is left at their place',
  })
  destructionRoutes(app, deps)
}

function statementRoute(
  app: App,
  deps: Deps,
  { kind, summary }: { kind: 'end-report' | 'destruction-confirmation'; summary: string },
): void {
  app.route({
    method: 'POST',
    url: `/v1/releases/:release/${kind}`,
    schema: {
      operationId: kind === 'end-report' ? 'report-end' : 'confirm-destruction',
      tags: ['releases'],
      summary,
      params: releaseParams,
      body: z.strictObject({ text: z.string().min(1).max(textMax) }),
      response: { 201: z.object({ recorded: z.literal(true) }), ...problems },
    },
    handler: async (request, reply) => {
      const statement = { releaseId: request.params.release, kind, text: request.body.text }
      await reportEnd(deps, requireCaller(request), statement)
      return reply.code(201).send({ recorded: true as const })
    },
  })
}

function destructionRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/releases/:release/destruction',
    schema: {
      operationId: 'request-destruction',
      tags: ['releases'],
      summary: 'Destroy keys and files of an ended release; a signed certificate remains',
      params: releaseParams,
      response: { 202: z.object({ job: idSchema }), ...problems },
    },
    handler: async (request, reply) => {
      const job = await requestDestruction(deps, requireCaller(request), request.params.release)
      return reply.code(202).header('location', `/v1/jobs/${job}`).send({ job })
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/releases/:release/destruction-certificate',
    schema: {
      operationId: 'show-certificate',
      tags: ['releases'],
      summary: 'The signed certificate of a destruction',
      params: releaseParams,
      response: {
        200: z.object({
          certificate: z.string().describe('Canonical JSON and a newline: exactly what is signed'),
          signature: z.string().describe('Ed25519, base64'),
          signatureKey: z.string().describe('Ed25519 public key, base64'),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const caller = requireCaller(request)
      const signed = await showCertificate(deps, caller, request.params.release)
      return {
        certificate: signed.certificate,
        signature: Buffer.from(signed.signature).toString('base64'),
        signatureKey: Buffer.from(signed.signatureKey).toString('base64'),
      }
    },
  })
}
