// No public API of class-transformer tells what it knows of @Transform and @Type. @nestjs/mapped-types reads it here.
declare module 'class-transformer/cjs/storage.js' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage.js';
}
