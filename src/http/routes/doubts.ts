import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { fileDoubts } from '../../actions/file-doubts.ts'
import { doubtsMax } from '../../core/doubt-list.ts'
import type { App } from '../app.ts'
import { digestOf } from '../content-digest.ts'
import { problems, projectNameSchema, requireCaller } from '../schemas.ts'

const listBytesMax = (doubtsMax + 1) * 66 // A serial of 64 characters and the end of its line.

/** What an agency doubts of the links of its own serials. */
export function doubtRoutes(app: App, deps: Deps): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    const limits = { parseAs: 'buffer', bodyLimit: listBytesMax } as const
    scope.addContentTypeParser('text/csv', limits, (_, body, done) => {
      done(null, body)
    })
    listRoute(scope as unknown as App, deps)
  })
}

function listRoute(app: App, deps: Deps): void {
  app.route({
    method: 'PUT',
    url: '/v1/projects/:project/doubts',
    schema: {
      operationId: 'file-doubts',
      tags: ['linkages'],
      summary: 'For an agency: serials of its own whose links it doubts, for the next linkage',
      params: z.strictObject({ project: projectNameSchema }),
      consumes: ['text/csv'],
      headers: z.looseObject({
        'content-digest': z.string().max(200).optional().describe('RFC 9530: `sha-256=:base64:`'),
      }),
      body: z
        .unknown()
        .describe('CSV: one column, serial. A later list counts instead of one not yet read'),
      response: { 200: z.object({ serials: z.number().int() }), ...problems },
    },
    handler: async (request) => {
      const sha256 = digestOf(request.headers['content-digest'])
      const csv = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const sent = { ...request.params, csv, ...(sha256 && { sha256 }) }
      return { serials: await fileDoubts(deps, requireCaller(request), sent) }
    },
  })
}
