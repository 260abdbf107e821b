import { Global, Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { ActorResolver } from '../common/actor/actor-resolver.js';
import { KeyRing } from '../common/crypto/key-ring.js';
import { Config } from '../config/config.js';
import { AccessCache } from './access-cache.js';
import { Attempts } from './attempts.js';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { PasswordProof } from './password-proof.service.js';
import { PasswordResets } from './password-resets.service.js';
import { PassGuesses } from './pass-guesses.js';
import { Passwords } from './passwords.js';
import { SessionsService } from './sessions.service.js';
import { TOKEN_ALGORITHM, tokenKey, Tokens } from './tokens.js';
import { ViewerCookies } from './viewer-cookies.js';

@Global()
@Module({
  imports: [
    JwtModule.registerAsync({
      inject: [Config],
      useFactory: (config: Config) => ({
        secret: tokenKey(config) as never,
        signOptions: { algorithm: TOKEN_ALGORITHM },
        verifyOptions: { algorithms: [TOKEN_ALGORITHM] },
      }),
    }),
  ],
  controllers: [AuthController],
  providers: [
    AuthService,
    SessionsService,
    JwtStrategy,
    { provide: ActorResolver, useExisting: JwtStrategy },
    AccessCache,
    Attempts,
    PassGuesses,
    PasswordProof,
    Passwords,
    PasswordResets,
    Tokens,
    ViewerCookies,
    { provide: KeyRing, inject: [Config], useFactory: (config: Config) => new KeyRing(config.ENCRYPTION_KEYS) },
  ],
  exports: [
    AuthService,
    ActorResolver,
    SessionsService,
    Attempts,
    PassGuesses,
    PasswordProof,
    Passwords,
    PasswordResets,
    ViewerCookies,
    KeyRing,
  ],
})
export class AuthModule {}
