import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { registerWitness, retireWitness } from '../../actions/register-witness.ts'
import { showWitnesses } from '../../actions/show-witnesses.ts'
import type { App } from '../app.ts'
import { problems, projectNameSchema, requireCaller, timeSchema } from '../schemas.ts'

const paramsSchema = z.strictObject({ project: projectNameSchema })
const witnessNameMax = 200
const verifierKeyMax = 300

/** The witnesses whose cosignatures count for a project. */
export function witnessRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'POST',
    url: '/v1/projects/:project/witnesses',
    schema: {
      operationId: 'register-witness',
      tags: ['projects'],
      summary: 'For a custodian: a witness of the trail, by its verifier key',
      params: paramsSchema,
      body: z.strictObject({
        verifierKey: z
          .string()
          .max(verifierKeyMax)
          .describe('name+hash+key, of type 4: gyeol audit witness-key prints it'),
      }),
      response: { 201: z.object({ witness: z.string() }), ...problems },
    },
    handler: async (request, reply) => {
      const given = { ...request.params, ...request.body }
      const witness = await registerWitness(deps, requireCaller(request), given)
      return reply.code(201).send({ witness })
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/projects/:project/witnesses',
    schema: {
      operationId: 'show-witnesses',
      tags: ['projects'],
      summary: 'The witnesses that a project has or had',
      params: paramsSchema,
      response: {
        200: z.object({
          witnesses: z.array(
            z.object({
              witness: z.string(),
              verifierKey: z.string(),
              createdAt: timeSchema,
              retiredAt: timeSchema.nullable(),
            }),
          ),
        }),
        ...problems,
      },
    },
    handler: async (request) => {
      const found = await showWitnesses(deps, requireCaller(request), request.params.project)
      const witnesses = found.map(({ name, verifierKey, createdAt, retiredAt }) => ({
        witness: name,
        verifierKey,
        createdAt: createdAt.toISOString(),
        retiredAt: retiredAt?.toISOString() ?? null,
      }))
      return { witnesses }
    },
  })

  app.route({
    method: 'DELETE',
    url: '/v1/projects/:project/witnesses/:witness',
    schema: {
      operationId: 'retire-witness',
      tags: ['projects'],
      summary: 'For a custodian: what this witness cosigned and cosigns no longer counts',
      params: paramsSchema.extend({ witness: z.string().max(witnessNameMax) }),
      response: { 204: z.null(), ...problems },
    },
    handler: async (request, reply) => {
      await retireWitness(deps, requireCaller(request), request.params)
      return reply.code(204).send(null)
    },
  })
}
