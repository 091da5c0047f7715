//! Which handler serves which route. Where two patterns fit a path, the first one is taken: names stand before
//! what may be any id.

use actix_web::web::{self, ServiceConfig, delete, get, patch, post};
use actix_web::{HttpResponse, Resource};
use rotord_api::routes::{
    ADOPT, AUDIT, AVAILABLE_CONNECTIONS, BACKUP, CHECK_CREDENTIALS, CHOICES, CONNECTION,
    CONNECTION_BY_NAME, CONNECTION_CHECK, CONNECTION_OPTIONS, CONNECTIONS, CONNECTIONS_OF_APP,
    DOCTOR, ENVIRONMENTS, FOLDERS, GENERATED_CREDENTIALS, MOVE_ROTATION, OPENAPI, PAUSE, PROJECT,
    PROJECT_BY_SLUG, PROJECTS, PROVIDERS, REMOVE, RESUME, RETIRE, ROOT_KEY, ROOT_KEY_REWRAP,
    ROTATE_SECRETS, ROTATION, ROTATION_BY_NAME, ROTATION_OF_ANY_TYPE, ROTATION_OPTIONS, ROTATIONS,
    ROTATIONS_OF_TYPE, SECRET_V3, SECRET_V4, SECRETS_V3, SECRETS_V4, STATUS, UNBLOCK,
};

use super::connections::{self, change, check, choices};
use super::error::ApiError;
use super::rotations::orders;
use super::rotations::{self, create, credentials, delete as deletion, doubt, relocate, update};
use super::{Reply, audit, backup, doctor, openapi, projects, root_key, secrets, status};

/// The admin socket.
pub(super) fn admin(config: &mut ServiceConfig) {
    // Patterns are tried one after the other: first what is asked most.
    secret_routes(config, wrong_method, |v3, v4| {
        (
            v3.route(delete().to(secrets::delete::delete_secret_v3)),
            v4.route(delete().to(secrets::delete::delete_secret_v4)),
        )
    });
    rotation_routes(config);
    connection_routes(config);
    project_routes(config);
    own_routes(config);
    config.default_service(web::to(unknown));
}

/// The reader socket. What is not there, and what may not be done, is answered alike.
pub(super) fn reader(config: &mut ServiceConfig) {
    secret_routes(config, denied, |v3, v4| (v3, v4));
    config.default_service(web::to(denied));
}

fn rotation_routes(config: &mut ServiceConfig) {
    config
        .service(at(ROTATION_OPTIONS).route(get().to(rotations::rotation_options)))
        .service(at(ROTATIONS).route(get().to(rotations::list_rotations)))
        .service(
            at(ROTATIONS_OF_TYPE)
                .route(get().to(rotations::list_rotations_of_type))
                .route(post().to(create::create_rotation)),
        )
        .service(at(ROTATION_BY_NAME).route(get().to(rotations::get_rotation_by_name)))
        .service(at(MOVE_ROTATION).route(post().to(relocate::move_rotation)))
        .service(at(GENERATED_CREDENTIALS).route(get().to(credentials::generated_credentials)))
        .service(at(ROTATE_SECRETS).route(post().to(orders::rotate_secrets)))
        .service(at(CHECK_CREDENTIALS).route(post().to(credentials::check_credentials)))
        .service(
            at(ROTATION)
                .route(get().to(rotations::get_rotation))
                .route(patch().to(update::update_rotation))
                .route(delete().to(deletion::delete_rotation)),
        );
}

fn connection_routes(config: &mut ServiceConfig) {
    config
        .service(at(CONNECTION_OPTIONS).route(get().to(connections::connection_options)))
        .service(at(CONNECTIONS).route(get().to(connections::list_connections)))
        .service(
            at(CONNECTIONS_OF_APP)
                .route(get().to(connections::list_connections_of_app))
                .route(post().to(change::create_connection)),
        )
        .service(at(AVAILABLE_CONNECTIONS).route(get().to(connections::available_connections)))
        .service(at(CONNECTION_BY_NAME).route(get().to(connections::get_connection_by_name)))
        .service(
            at(CONNECTION)
                .route(get().to(connections::get_connection))
                .route(patch().to(change::update_connection))
                .route(delete().to(change::delete_connection)),
        )
        .service(at(CHOICES).route(get().to(choices::list_choices)));
}

fn project_routes(config: &mut ServiceConfig) {
    config
        .service(
            at(PROJECTS)
                .route(get().to(projects::list_projects))
                .route(post().to(projects::create_project)),
        )
        .service(at(PROJECT_BY_SLUG).route(get().to(projects::get_project_by_slug)))
        .service(
            at(ENVIRONMENTS)
                .route(get().to(projects::list_environments))
                .route(post().to(projects::create_environment)),
        )
        .service(at(PROJECT).route(get().to(projects::get_project)))
        .service(
            at(FOLDERS)
                .route(get().to(projects::list_folders))
                .route(post().to(projects::create_folder)),
        );
}

/// Reading on both sockets, and what else one of them takes of a single secret, by v3 and by v4.
fn secret_routes<F: Future<Output = Reply> + 'static>(
    config: &mut ServiceConfig,
    otherwise: fn() -> F,
    more: fn(Resource, Resource) -> (Resource, Resource),
) {
    let at = |path| web::resource(path).default_service(web::to(otherwise));
    let (v3, v4) = more(
        at(SECRET_V3).route(get().to(secrets::get_secret_v3)),
        at(SECRET_V4).route(get().to(secrets::get_secret_v4)),
    );
    config
        .service(at(SECRETS_V3).route(get().to(secrets::list_secrets_v3)))
        .service(v3)
        .service(at(SECRETS_V4).route(get().to(secrets::list_secrets_v4)))
        .service(v4);
}

fn own_routes(config: &mut ServiceConfig) {
    config
        .service(at(STATUS).route(get().to(status::daemon_status)))
        .service(at(DOCTOR).route(get().to(doctor::doctor)))
        .service(at(PROVIDERS).route(get().to(status::list_providers)))
        .service(at(AUDIT).route(get().to(audit::read_audit)))
        .service(at(BACKUP).route(post().to(backup::take_backup)))
        .service(at(ROOT_KEY).route(get().to(root_key::root_key_status)))
        .service(at(ROOT_KEY_REWRAP).route(post().to(root_key::rewrap_root_key)))
        .service(at(PAUSE).route(post().to(orders::pause_rotation)))
        .service(at(RESUME).route(post().to(orders::resume_rotation)))
        .service(at(UNBLOCK).route(post().to(orders::unblock_rotation)))
        .service(at(RETIRE).route(post().to(orders::retire_credential)))
        .service(at(ADOPT).route(post().to(doubt::adopt_credential)))
        .service(at(REMOVE).route(post().to(doubt::remove_credential)))
        .service(at(ROTATION_OF_ANY_TYPE).route(get().to(rotations::get_rotation_of_any_type)))
        .service(at(CONNECTION_CHECK).route(get().to(check::check_connection)))
        .service(at(OPENAPI).route(get().to(openapi::openapi)));
}

/// A route, with an answer in the shape of errors for the methods that it lacks.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(wrong_method))
}

async fn wrong_method() -> Reply {
    Err::<HttpResponse, _>(ApiError::wrong_method())
}

async fn unknown() -> Reply {
    Err::<HttpResponse, _>(ApiError::not_found("There is no such route"))
}

async fn denied() -> Reply {
    Err::<HttpResponse, _>(ApiError::denied())
}
