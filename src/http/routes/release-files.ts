import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { ApprovedFiles } from '../../actions/approved-files.ts'
import type { Deps } from '../../actions/deps.ts'
import { readReleaseFile, type TakenFile, tagOf } from '../../actions/read-release-file.ts'
import { ReleaseWatch } from '../../actions/release-watch.ts'
import { showDownloads } from '../../actions/show-releases.ts'
import { Refusal } from '../../core/errors.ts'
import type { Download } from '../../store/downloads.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller, timeSchema } from '../schemas.ts'

const reasonMax = 200

export const downloadSchema = z
  .object({
    download: idSchema,
    file: z.string(),
    account: z.string(),
    address: z.string(),
    reason: z.string(),
    start: z.number().int().describe('First byte of the file that was asked for'),
    end: z.number().int().describe('The byte after the last'),
    startedAt: timeSchema,
    endedAt: timeSchema.nullable(),
    bytesSent: z.number().int().nullable(),
    outcome: z.enum(['complete', 'cut', 'lost']).nullable(),
  })
  .meta({ id: 'Download' })

/** The files of an approved release, for its recipient, and who took which. */
export function releaseFileRoutes(app: App, deps: Deps): void {
  const watch = new ReleaseWatch(deps)
  const approved = new ApprovedFiles(deps)
  app.route({
    method: 'GET',
    url: '/v1/releases/:release/files/*',
    exposeHeadRoute: false, // Asking without taking would be a taking in the trail.
    schema: {
      operationId: 'read-release-file',
      tags: ['releases'],
      summary: 'For the recipient: a file of the approved package, or a range of it',
      params: z.strictObject({ release: idSchema, '*': z.string().min(1).max(200) }),
      headers: z.looseObject({
        'gyeol-reason': z
          .string()
          .max(4 * reasonMax)
          .optional()
          .describe(`Why it is taken, 1 to ${reasonMax} characters of UTF-8; needed`),
        range: z.string().max(200).optional().describe('RFC 9110: one range of bytes'),
        'if-range': z.string().max(200).optional().describe('The file’s ETag'),
      }),
      produces: ['application/octet-stream'],
      response: {
        200: z.unknown().describe('The bytes of the file'),
        206: z.unknown().describe('The range of bytes that was asked for'),
        ...problems,
      },
    },
    handler: async (request, reply) => {
      const { headers } = request
      const taking = {
        releaseId: request.params.release,
        name: request.params['*'],
        reason: reasonOf(headers['gyeol-reason']),
        range: headers.range,
        ifRange: headers['if-range'],
      }
      try {
        const taken = await readReleaseFile(
          { ...deps, watch, approved },
          requireCaller(request),
          taking,
        )
        return send(reply, taken)
      } catch (error) {
        if (error instanceof Refusal && error.code === 'range-unsatisfiable') {
          reply.header('content-range', `bytes */${error.details['bytes']}`)
        }
        throw error
      }
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/releases/:release/downloads',
    schema: {
      operationId: 'show-downloads',
      tags: ['releases'],
      summary: 'Who took what of a release, why, and how it ended',
      params: z.strictObject({ release: idSchema }),
      response: { 200: z.object({ downloads: z.array(downloadSchema) }), ...problems },
    },
    handler: async (request) => {
      const taken = await showDownloads(deps, requireCaller(request), request.params.release)
      return { downloads: taken.map(downloadView) }
    },
  })
}

/** A taking as callers see it. */
export function downloadView(download: Download): z.infer<typeof downloadSchema> {
  const { id, name, startedAt, endedAt, ...rest } = download
  const times = { startedAt: startedAt.toISOString(), endedAt: endedAt?.toISOString() ?? null }
  return { download: id, file: name, ...rest, ...times }
}

function send(reply: FastifyReply, { bytes, sha256, range, body, ended }: TakenFile): FastifyReply {
  const { start, end, isPartial } = range
  reply.raw.once('close', () => {
    ended().catch(() => {
      // The beginning is in the trail; the sweep ends what has no end.
      reply.log.error({}, 'the end of a download could not be recorded')
    })
  })
  reply.header('accept-ranges', 'bytes')
  reply.header('cache-control', 'no-store')
  reply.header('content-length', String(end - start))
  reply.header('etag', tagOf(sha256))
  reply.header('repr-digest', `sha-256=:${sha256.toString('base64')}:`)
  if (isPartial) reply.header('content-range', `bytes ${start}-${end - 1}/${bytes}`)
  else reply.header('content-digest', `sha-256=:${sha256.toString('base64')}:`)
  return reply
    .code(isPartial ? 206 : 200)
    .type('application/octet-stream')
    .send(body)
}

/** A header's bytes arrive as Latin-1; people write UTF-8. @throws {Refusal} `input-malformed`. */
function reasonOf(header: string | undefined): string {
  const text = Buffer.from(header ?? '', 'latin1')
    .toString('utf8')
    .trim()
  const length = [...text].length
  if (length >= 1 && length <= reasonMax && !/[\p{Cc}\ufffd]/u.test(text)) return text
  throw new Refusal(
    'input-malformed',
    'Say why the file is taken: header gyeol-reason, 1 to 200 characters of UTF-8.',
  )
}
