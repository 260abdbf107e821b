import { type DynamicModule, Module, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type LegacyRoute, RouteTable } from '../common/actor/route-table.js';
import type { Config, LegacyFamily } from '../config/config.js';
import { FlutterAppModule } from './flutter-app/flutter-app.module.js';
import { FastapiGymModule } from './fastapi-gym/fastapi-gym.module.js';
import { AvCheckInsModule } from './av-checkins/av-checkins.module.js';
import { GymgemModule } from './gymgem/gymgem.module.js';
import { LegacyDocsController } from './legacy-docs.controller.js';
import { PlainSockets } from './plain/plain-sockets.js';
import { ReroSlotsModule } from './rero-slots/rero-slots.module.js';
import { SignInModule } from './sign-in/sign-in.controller.js';
import { ownAnswer } from './wire/refusal.js';

/** The module of each family, and of what some of them share. */
const MODULES: { families: LegacyFamily[]; module: Type }[] = [
  { families: ['fastapi-gym'], module: FastapiGymModule },
  { families: ['gymgem', 'flutter-app'], module: SignInModule },
  { families: ['gymgem'], module: GymgemModule },
  { families: ['flutter-app'], module: FlutterAppModule },
  { families: ['av-checkins'], module: AvCheckInsModule },
  { families: ['rero-slots'], module: ReroSlotsModule },
];

export const modulesOf = (wanted: readonly LegacyFamily[]): Type[] =>
  MODULES.filter(({ families }) => families.some((family) => wanted.includes(family))).map(({ module }) => module);

/** What is served for old clients: translators only (docs/legacy). */
@Module({})
export class LegacyModule {
  static with({ legacy_families: wanted }: Config): DynamicModule {
    return {
      module: LegacyModule,
      global: true,
      imports: modulesOf(wanted),
      controllers: [LegacyDocsController],
      providers: [PlainSockets],
      exports: [PlainSockets],
    };
  }
}

/** What is served at the root has errors of its own shape there, as have unknown addresses beside it. */
const isAtRoot = ({ family }: LegacyRoute): boolean => family === 'rero-slots';

/** @returns whether an upgrade of this address is for a plain WebSocket */
export function serveLegacy(app: NestFastifyApplication): (url: string) => boolean {
  const sockets = app.get(PlainSockets);
  sockets.attach(app.getHttpServer());
  const table = app.get(RouteTable);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.decorate(
    'ownAnswer',
    ownAnswer(() => table.legacy.filter(isAtRoot).map(({ path }) => `/${path}`)),
  );
  return (url) => sockets.isPath(url);
}
