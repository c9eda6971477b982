import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { partBytesMax, storePart } from '../../actions/store-part.ts'
import { Refusal } from '../../core/errors.ts'
import { noticesTable } from '../../core/manifest.ts'
import type { MediaType } from '../../store/parts.ts'
import type { App } from '../app.ts'
import { digestOf } from '../content-digest.ts'
import { idSchema, problems, requireCaller, sha256Schema } from '../schemas.ts'

const mediaTypes: readonly MediaType[] = ['text/csv', 'application/vnd.apache.parquet']
const partNumber = z.coerce.number().int().min(1).max(99_999)

const storedSchema = z.object({
  table: z.string(),
  number: z.number().int(),
  bytes: z.number().int(),
  sha256: sha256Schema,
})

const partSchema = {
  tags: ['deliveries'],
  consumes: [...mediaTypes],
  body: z.unknown().describe(`The bytes of the part, at most ${partBytesMax}, streamed`),
  headers: z.looseObject({
    'content-digest': z.string().max(200).optional().describe('RFC 9530: `sha-256=:base64:`'),
  }),
  response: {
    200: storedSchema.describe('These bytes were here already'),
    201: storedSchema,
    ...problems,
  },
}

/** Parts of a delivery: streamed straight into the vault, sealed to the side that may read them. */
export function partRoutes(app: App, deps: Deps): void {
  app.register(async (scope) => {
    const streamed = scope as unknown as App
    streamed.removeAllContentTypeParsers()
    for (const mediaType of mediaTypes) {
      // The body stays a stream: `storePart` bounds it, whatever a length header says.
      streamed.addContentTypeParser(mediaType, { bodyLimit: partBytesMax + 1 }, (_, body, done) => {
        done(null, body)
      })
    }
    streamed.route({
      method: 'PUT',
      url: '/v1/deliveries/:delivery/keys/:part',
      schema: {
        ...partSchema,
        operationId: 'store-keys',
        summary: 'For an agency: upload a part of keys (serial, K1, K2 …)',
        params: z.strictObject({ delivery: idSchema, part: partNumber }),
      },
      handler: async (request, reply) => {
        const { delivery, part } = request.params
        const stored = await store(deps, request, { delivery, table: '', part })
        return reply.code(stored.isNew ? 201 : 200).send(stored)
      },
    })
    streamed.route({
      method: 'PUT',
      url: '/v1/deliveries/:delivery/notices/:part',
      schema: {
        ...partSchema,
        operationId: 'store-notices',
        summary: 'For an agency: upload a part of notices of changed numbers (old_K1, new_K1)',
        params: z.strictObject({ delivery: idSchema, part: partNumber }),
      },
      handler: async (request, reply) => {
        const { delivery, part } = request.params
        const stored = await store(deps, request, { delivery, table: noticesTable, part })
        return reply.code(stored.isNew ? 201 : 200).send(stored)
      },
    })
    streamed.route({
      method: 'PUT',
      url: '/v1/deliveries/:delivery/tables/:table/:part',
      schema: {
        ...partSchema,
        operationId: 'store-table',
        summary: 'For an agency: upload a part of a table (serial, columns)',
        params: z.strictObject({
          delivery: idSchema,
          table: z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
          part: partNumber,
        }),
      },
      handler: async (request, reply) => {
        const stored = await store(deps, request, request.params)
        return reply.code(stored.isNew ? 201 : 200).send(stored)
      },
    })
  })
}

async function store(
  deps: Deps,
  request: FastifyRequest,
  wanted: { delivery: string; table: string; part: number },
): Promise<z.infer<typeof storedSchema> & { isNew: boolean }> {
  const mediaType = mediaTypes.find((known) => known === request.headers['content-type'])
  if (!mediaType)
    throw new Refusal('input-malformed', 'A part is text/csv or Parquet, said exactly so.')
  const sha256 = digestOf(request.headers['content-digest'])
  const stored = await storePart(deps, requireCaller(request), {
    deliveryId: wanted.delivery,
    table: wanted.table,
    number: wanted.part,
    mediaType,
    ...(sha256 ? { sha256 } : {}),
    body: request.body as Readable,
  })
  return { ...stored, sha256: Buffer.from(stored.sha256).toString('hex') }
}
