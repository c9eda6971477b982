import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { closeSession, openSession } from '../../actions/open-session.ts'
import type { App } from '../app.ts'
import { problems, requireCaller, timeSchema } from '../schemas.ts'

/** Sessions of people. */
export function sessionRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/sessions',
    config: { isOpen: true },
    schema: {
      operationId: 'open-session',
      tags: ['sessions'],
      summary: 'Open a session with name and password',
      security: [],
      body: z.strictObject({ name: z.string().max(63), password: z.string().min(1).max(200) }),
      response: {
        201: z.object({
          token: z.string().describe('Send it as `Authorization: Bearer …`'),
          expiresAt: timeSchema,
          roles: z.array(z.string()),
        }),
        ...problems,
      },
    },
    handler: async (request, reply) => {
      const session = await openSession(deps, { ...request.body, from: request.ip })
      return reply.code(201).send({ ...session, expiresAt: session.expiresAt.toISOString() })
    },
  })

  app.route({
    method: 'DELETE',
    url: '/v1/sessions',
    schema: {
      operationId: 'close-session',
      tags: ['sessions'],
      summary: 'End the session of this request',
      response: { 204: z.null(), ...problems },
    },
    handler: async (request, reply) => {
      const token = request.raw.headers.authorization?.slice('Bearer '.length) ?? ''
      await closeSession(deps, requireCaller(request), token)
      return reply.code(204).send(null)
    },
  })
}
