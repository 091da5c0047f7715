//! What a person can do, with the command that does it.

use crate::cloud::Root;

/// The permission to change owned applications, as `az` wants it named.
const WRITE_OWNED_ID: &str = "18a4783c-866b-4cc7-a460-3d5e5662c884";
/// Graph itself, as an application.
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Opens the network path to a service.
pub(crate) fn open_path(root: &Root) -> String {
    format!(
        "allow outgoing TLS connections to {}, without anything between that answers in its place",
        root.host_and_port()
    )
}

/// Grants what rotating needs.
pub(crate) fn grant(client_id: &str) -> String {
    format!(
        "az ad app permission add --id {client_id} --api {GRAPH_ID} --api-permissions \
         {WRITE_OWNED_ID}=Role && az ad app permission admin-consent --id {client_id}"
    )
}

/// Makes the connection an owner.
pub(crate) fn add_owner(application: &str, connection: Option<&str>) -> String {
    let owner = connection.unwrap_or("OBJECT_ID_OF_THE_CONNECTIONS_SERVICE_PRINCIPAL");
    format!("az ad app owner add --id {application} --owner-object-id {owner}")
}

/// Replaces the connection's own secret.
pub(crate) fn new_secret(client_id: &str) -> String {
    format!(
        "make a new one with `az ad app credential reset --append --id {client_id}` and change the \
         connection"
    )
}

/// Lets an application log in again.
pub(crate) fn enable(client_id: &str) -> String {
    format!("az ad sp update --id {client_id} --set accountEnabled=true")
}

/// Lets an application have client secrets that a policy forbids it.
pub(crate) fn permit_secrets(application: &str) -> String {
    format!(
        "have an administrator of the tenant permit them to the application {application}: what an app \
         management policy that is assigned to it says of passwordAddition comes before what the \
         tenant's default policy says, and \"disabled\" permits"
    )
}

/// Gives an application what it logs in as.
pub(crate) fn make_principal(client_id: &str) -> String {
    format!("az ad sp create --id {client_id}")
}
