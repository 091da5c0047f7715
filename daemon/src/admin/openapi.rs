//! The description of all routes, generated from the handlers.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use rotord_api::query::Flag;
use rotord_api::{ErrorBody, routes};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{audit, backup, connections, doctor, projects, root_key, rotations, secrets, status};

#[derive(OpenApi)]
#[openapi(
    info(title = "rotord", description = "Rotates secrets on the host where they are used. A field \
        of a body that there is not is refused with 422; a parameter of a query that there is not is ignored."),
    servers((url = "http://localhost", description = "Over the admin socket; any host name is accepted")),
    components(schemas(ErrorBody, Flag)),
    modifiers(&Errors),
    paths(
        rotations::rotation_options,
        rotations::list_rotations,
        rotations::list_rotations_of_type,
        rotations::create::create_rotation,
        rotations::get_rotation,
        rotations::get_rotation_by_name,
        rotations::update::update_rotation,
        rotations::delete::delete_rotation,
        rotations::credentials::generated_credentials,
        rotations::credentials::check_credentials,
        rotations::orders::rotate_secrets,
        rotations::relocate::move_rotation,
        connections::connection_options,
        connections::list_connections,
        connections::list_connections_of_app,
        connections::change::create_connection,
        connections::available_connections,
        connections::get_connection,
        connections::get_connection_by_name,
        connections::change::update_connection,
        connections::change::delete_connection,
        connections::choices::list_choices,
        projects::list_projects,
        projects::create_project,
        projects::get_project,
        projects::get_project_by_slug,
        projects::list_environments,
        projects::create_environment,
        projects::list_folders,
        projects::create_folder,
        secrets::list_secrets_v3,
        secrets::get_secret_v3,
        secrets::delete::delete_secret_v3,
        secrets::list_secrets_v4,
        secrets::get_secret_v4,
        secrets::delete::delete_secret_v4,
        status::daemon_status,
        doctor::doctor,
        status::list_providers,
        audit::read_audit,
        backup::take_backup,
        root_key::root_key_status,
        root_key::rewrap_root_key,
        rotations::get_rotation_of_any_type,
        rotations::orders::pause_rotation,
        rotations::orders::resume_rotation,
        rotations::orders::unblock_rotation,
        rotations::orders::retire_credential,
        rotations::doubt::adopt_credential,
        rotations::doubt::remove_credential,
        connections::check::check_connection,
        openapi,
    )
)]
pub(super) struct Description;

/// Every operation may answer with an error, always of the same shape.
struct Errors;

impl Modify for Errors {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let body = RefOr::Ref(Ref::from_schema_name("ErrorBody"));
        let error = ResponseBuilder::new()
            .description("Anything but a success")
            .content("application/json", Content::new(Some(body)))
            .build();
        let operations = description.paths.paths.values_mut().flat_map(|item| {
            [
                &mut item.get,
                &mut item.post,
                &mut item.patch,
                &mut item.delete,
            ]
            .into_iter()
            .flatten()
        });
        for Operation { responses, .. } in operations {
            responses
                .responses
                .insert("default".to_owned(), RefOr::T(error.clone()));
        }
    }
}

/// This description.
#[utoipa::path(get, path = routes::OPENAPI, tag = "rotord",
    responses((status = 200, description = "The OpenAPI description")))]
pub(super) async fn openapi() -> HttpResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    // A description is plain data: it always becomes JSON.
    let text = TEXT.get_or_init(|| Description::openapi().to_json().unwrap_or_default());
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(text.as_str())
}
